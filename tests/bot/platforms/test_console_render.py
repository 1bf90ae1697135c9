"""Every card as a person sees it on a terminal."""

import io
from typing import get_args

import pytest
from rich.console import Console

from bot.cards import Button, Card, Choice, Listing, Notice, Picture, Progress, Reply, Row, Secret, Tone
from bot.platforms.console.render import View, render
from bot.platforms.console.wording import ConsoleTexts

ESC = "\x1b"
TEXTS = ConsoleTexts(press_number="press a number", unfold_hint="Ctrl-T shows it")


def seen(card: Card, *, width: int = 80, colour: bool = False) -> str:
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        markup=False,
        emoji=False,
        highlight=False,
        force_terminal=colour,
        color_system="standard" if colour else None,
    )
    console.print(render(card, View(TEXTS)))
    return "\n".join(line.rstrip() for line in file.getvalue().split("\n")).rstrip("\n")


def test_reply_in_order() -> None:
    """Header, folded thinking, Markdown, footnote, numbered buttons."""
    card = Reply(
        "Some **bold** text",
        done=True,
        header="qwen3",
        footnote="12 tokens",
        thinking="one two three",
        thinking_label="reasoning",
        buttons=(Button("Again", "again"),),
    )
    assert seen(card).split("\n") == [
        "qwen3",
        "💭 reasoning (3 palavras) · Ctrl-T shows it",
        "Some bold text",
        "12 tokens",
        "[1] Again",
        "press a number",
    ]


def test_thinking_of_one_word() -> None:
    """The folded line counts one word as one, and wears its sign once."""
    shown = seen(Reply("", done=False, thinking="hm", thinking_label="💭 reasoning"))
    assert shown == "💭 reasoning (1 palavra) · Ctrl-T shows it"


def test_failed_reply_is_marked() -> None:
    """The footnote of an answer that failed is red."""
    assert f"{ESC}[31mbroken" in seen(Reply("half", done=True, failed=True, footnote="broken"), colour=True)


def test_progress_with_a_fraction() -> None:
    """A title above a bar with per cent and detail."""
    title, bar = seen(Progress("Loading qwen3", 0.25, "5 s of 20 s")).split("\n")
    assert title == "Loading qwen3"
    assert bar.endswith("25% 5 s of 20 s")
    assert "━" in bar


@pytest.mark.parametrize("fraction", [-1.0, 2.0])
def test_progress_beyond_its_ends(fraction: float) -> None:
    """A fraction out of range is drawn at the nearest end."""
    assert f"{'100' if fraction > 1 else '0'}%" in seen(Progress("x", fraction))


def test_progress_without_a_fraction() -> None:
    """A spinner with title and detail, and no per cent."""
    shown = seen(Progress("Waiting", None, "second in line"))
    assert "Waiting" in shown
    assert "second in line" in shown
    assert "%" not in shown


def test_spinner_keeps_its_beat() -> None:
    """Two edits are two pictures of one spinner: it does not start over with each."""
    view = View(TEXTS)
    render(Progress("a", None), view)
    view.spinner.start_time = 1.0
    render(Progress("b", None), view)
    assert view.spinner.start_time == 1.0


@pytest.mark.parametrize(
    ("tone", "code"), [(Tone.INFO, 36), (Tone.SUCCESS, 32), (Tone.WARNING, 33), (Tone.ERROR, 31)]
)
def test_notice_has_the_colour_of_its_tone(tone: Tone, code: int) -> None:
    """A panel whose frame and title have the colour of the tone."""
    shown = seen(Notice(tone, "Title", "Body"), colour=True)
    assert f"{ESC}[{code}m╭" in shown
    assert f"{ESC}[1;{code}mTitle" in shown


def test_notice_shows_a_long_title_whole() -> None:
    """A title longer than the terminal is wrapped inside the panel, never cut."""
    title = " ".join(f"word{n}" for n in range(40))
    shown = seen(Notice(Tone.INFO, title, "body"), width=40)
    assert all(f"word{n}" in shown for n in range(40))


def test_listing_shows_long_names_whole() -> None:
    """On 80 columns every letter of a name is there, however much stands beside it."""
    name = "lmstudio-community/qwen2.5-coder-32b-instruct-abliterated-gguf-with-a-very-long-name"
    rows = (
        Row(
            "✓",
            name,
            "32B · Q4_K_M · 19.8 GB · 131072",
            "loaded since yesterday by somebody else",
            current=True,
        ),
        Row("❌", "llama-3.2-1b", "1B"),
    )
    shown = seen(Listing("Models", rows, body="two found", page=1, pages=3))
    lines = shown.split("\n")
    assert lines[0] == "Models (1/3)"
    assert lines[1] == "two found"
    assert all(len(line) <= 80 for line in lines)
    start = lines[2].index("lmstudio")
    end = lines[2].index("32B")
    assert "".join(line[start:end].strip() for line in lines[2:-1]) == name
    assert lines[2].startswith("→ ✓")


def test_listing_highlights_the_current_row() -> None:
    """The row in use stands out in colour, and by an arrow where there is none."""
    shown = seen(Listing("t", (Row("a", "one", current=True), Row("b", "two"))), colour=True)
    one, two = shown.split("\n")[1:3]
    assert f"{ESC}[1;36m" in one
    assert f"{ESC}[1;36m" not in two


def test_listing_numbers_rows_before_buttons() -> None:
    """Buttons of rows and buttons below are numbered through."""
    rows = (
        Row("✓", "one", button=Button("use", "use 1")),
        Row("✓", "two"),
        Row("✓", "x", button=Button("u", "u")),
    )
    shown = seen(Listing("t", rows, buttons=(Button("Next", "models 2"),)))
    assert "[1] ✓" in shown
    assert "[2] ✓" in shown
    assert "[3] Next" in shown


def test_listing_with_no_rows() -> None:
    """Only the title, and no hint to press what is not there."""
    assert seen(Listing("Nothing here", ())) == "Nothing here"


def test_choice_lists_its_options() -> None:
    """The question, its body, and one numbered line for each option."""
    card = Choice("Which?", (Button("First one", "a"), Button("Second", "b")), body="Both fit.")
    assert seen(card).split("\n") == ["Which?", "Both fit.", "[1] First one", "[2] Second", "press a number"]


def test_secret_and_picture() -> None:
    """A secret is its question; a picture its caption."""
    assert seen(Secret("Your key?", "key", "key openai")) == "Your key?"
    assert seen(Picture(b"\x89PNG", "A cat")) == "A cat"


def _with_text(kind: type[Card], text: str) -> Card:
    buttons = (Button(text, "x"),)
    cards: tuple[Card, ...] = (
        Reply(
            text, done=True, header=text, footnote=text, thinking=text, thinking_label=text, buttons=buttons
        ),
        Progress(text, 0.5, text, buttons),
        Notice(Tone.INFO, text, text, buttons),
        Listing(text, (Row(text, text, text, text, current=True, button=buttons[0]),), text, buttons=buttons),
        Choice(text, buttons, text),
        Secret(text, text, "x", buttons),
        Picture(b"", text, buttons),
    )
    return next(card for card in cards if isinstance(card, kind))


@pytest.mark.parametrize("kind", get_args(Card))
def test_no_card_can_steer_the_terminal(kind: type[Card]) -> None:
    """Whatever control characters stand in any text of a card, none of them is printed; markup is not obeyed."""
    evil = "".join(map(chr, [*range(32), *range(127, 160)])) + "]0;title [red]text[/red] \ud800"
    shown = seen(_with_text(kind, evil))
    assert not {c for c in shown if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160}
    assert "[red]" in shown.replace("\n", "")
    shown.encode("utf-8")
