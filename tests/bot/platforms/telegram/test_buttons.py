"""Buttons: what they remember, whose they are, and how they stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cards import Button, Choice, Listing, Notice, Row, Tone
from bot.platforms.telegram.buttons import Press, keyboard, read, written

COMMAND = st.from_regex(r"[a-z]{2,12}( [#?a-z0-9]{1,14}){0,2}", fullmatch=True)


@given(COMMAND, st.none() | st.integers(min_value=0, max_value=2**52), st.booleans())
def test_what_is_written_is_read(command: str, owner: int | None, turns: bool) -> None:  # noqa: FBT001  # drawn
    """Any command with any owner survives the way to Telegram and back, in 64 bytes."""
    press = Press(command, owner, turns)
    data = written(press)
    assert data is not None
    assert len(data.encode()) <= 64
    assert read(data) == press


@pytest.mark.parametrize(
    "data", [None, "", "@", "@zz:", "@zz:#", ".", "@ZZ:stop", "9", "#a", "\0", "é" * 40 + "!"]
)
def test_what_is_no_button_of_ours(data: str | None) -> None:
    """It is said to be stale, never an error."""
    assert read(data) is None


def test_what_is_too_long() -> None:
    """First the wish to turn the message goes, then the button: one without its owner would be anybody's."""
    assert written(Press("m" * 64, None, turns=True)) == "m" * 64
    assert written(Press("m" * 60, 10**10)) is None
    assert keyboard(Notice(Tone.INFO, "t", buttons=(Button("x", "m" * 60),)), 10**10) is None


def rows(card: Notice | Listing | Choice, owner: int | None = None) -> list[list[tuple[str, object]]]:
    made = keyboard(card, owner)
    assert made is not None
    return [[(b.text, b.callback_data) for b in row] for row in made.inline_keyboard]


def test_short_ones_stand_side_by_side() -> None:
    """Long ones have a row of their own; labels are cut where Telegram would."""
    long = "Usar um modelo de nome comprido e responder, e ainda mais palavras aqui"
    card = Notice(Tone.INFO, "t", buttons=(Button("Sim", "a1"), Button("Não", "/b1"), Button(long, "c1")))
    assert rows(card, 36) == [[("Sim", "@10:a1"), ("Não", "@10:b1")], [(long[:59] + "…", "@10:c1")]]


def test_lists_and_questions_turn_in_place() -> None:
    """Their buttons say so; those of rows come first."""
    listing = Listing(
        "t", (Row("✓", "n", button=Button("Usar n", "use n")),), buttons=(Button("▶", "models 2"),)
    )
    assert rows(listing) == [[("Usar n", ".use n"), ("▶", ".models 2")]]
    assert rows(Choice("q", (Button("A", "lang en"),)), 1) == [[("A", ".@1:lang en")]]
