"""Refusals as cards: each says why not, and what to do."""

import pytest

from bot import present
from bot.cards import Notice, Tone, plain
from bot.texts import LANGUAGES, Speech
from core import refusals
from core.people import Role
from tests.bot.checks import sound

# One of each that can be told in different ways. A new refusal fails the test below until it stands here.
REFUSALS: list[refusals.Refusal] = [
    refusals.Outside("telegram:42", unclaimed=False),
    refusals.Outside("telegram:42", unclaimed=True),
    refusals.NotAllowed("reset", Role.ADMINISTRATOR),
    refusals.NotAllowed("load", Role.MEMBER),
    refusals.TooManyMessages(5, 12.4),
    refusals.MessageTooLong(2_000_000, 1_000_000),
    *(refusals.CodeRefused(reason, 600.0) for reason in ("wrong", "expired", "none", "wait")),
    *(refusals.TokensSpent(external, 50_000, 3700.0) for external in (True, False)),
    refusals.NobodySuch(),
    refusals.NothingSaid(),
    *(refusals.Unchangeable("telegram:42", reason) for reason in ("self", "setting", "group")),
]


def test_every_refusal_is_told_here() -> None:
    """A refusal that nobody wrote a text for is noticed."""
    assert {type(one) for one in REFUSALS} == set(refusals.Refusal.__subclasses__())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_every_refusal_has_words_and_a_way_on(refusal: refusals.Refusal, language: str) -> None:
    """A title and a body, without holes; for strangers no error, since they did nothing wrong."""
    card = present.trouble(refusal, Speech(language))
    assert isinstance(card, Notice)
    sound([card])
    assert card.title
    assert card.body
    assert card.tone is (Tone.INFO if isinstance(refusal, refusals.Outside) else Tone.ERROR)


def test_the_card_for_strangers() -> None:
    """Short and polite, with the id that an administrator needs; whose bot it is, is told how to claim it."""
    card = present.trouble(refusals.Outside("discord:7", unclaimed=False), Speech("pt-BR"))
    assert plain(card) == (
        "👋 Este bot é particular.\nSe quiser usá-lo, passe este número a quem cuida dele: discord:7"
    )
    unclaimed = present.trouble(refusals.Outside("discord:7", unclaimed=True), Speech("en"))
    assert "/pair" in plain(unclaimed)
