"""Whatever is said, a person gets a card, and never a bug."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.cards import Card, Progress, plain
from bot.commands import BY_NAME
from core.errors import LoadFailed
from core.model import FailureKind, ModelState
from tests.bot.talk import talking
from tests.fakes.provider import FakeLoader, FakeProvider, a_model

MODELS = [
    a_model("acme/nova-8b"),
    a_model("acme/orion-7b", ModelState.LOADED),
    a_model("b", by_name_only=True),
]
WORDS = st.sampled_from(
    ["nova", "orion", "b", f"#{MODELS[0].tag}", "#", "?1", "?2", "?99", "-", "force", "2", "en"]
)
ARGUMENTS = st.lists(WORDS | st.text(max_size=8), max_size=3).map(" ".join)
COMMANDS = st.tuples(st.sampled_from([*BY_NAME, "x", "modls"]), ARGUMENTS).map(lambda c: f"/{c[0]} {c[1]}")
SAID = st.lists(COMMANDS | COMMANDS | st.text(st.characters(), max_size=40), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(["/use ?1", "/use #?1", "/models \x00", "\x00", "/system \ud83d", "/lang \ud83d", "/use \ud83d"])
@given(SAID)
def test_anything_may_be_said(said: list[str]) -> None:
    """Commands with any argument and any text, in a row: each ends with a card that is no bug and no Progress."""
    for card in asyncio.run(_converse(said)):
        assert not isinstance(card, Progress)
        assert "Algo deu errado aqui dentro." not in plain(card)


async def _converse(said: list[str]) -> list[Card]:
    host = FakeLoader(MODELS)
    host.loads[MODELS[0].key] = [(LoadFailed(MODELS[0], FailureKind.CRASHED),)]
    with TemporaryDirectory() as folder:
        async with talking(Path(folder), host, FakeProvider()) as talk:
            saying = [talk.begin(text) for text in said]
            return [await one.last() for one in saying]
