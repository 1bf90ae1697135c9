"""How each card looks on Telegram: text, entities, splitting."""

import pytest

from bot.cards import (
    Button,
    Card,
    Choice,
    Listing,
    Notice,
    Picture,
    Progress,
    Reply,
    Row,
    Secret,
    Tone,
)
from bot.platforms.telegram.line import Part
from bot.platforms.telegram.render import Renderer


def drawn(card: Card) -> list[Part]:
    return Renderer().draw(card, None)[0]


def only(card: Card) -> tuple[str, list[tuple[str, str]]]:
    """The text of the only message, and what is set how."""
    (part,) = drawn(card)
    raw = part.text.encode("utf-16-le")
    return part.text, [
        (e.type, raw[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le")) for e in part.entities
    ]


def test_progress() -> None:
    """A title and a bar in text; without a fraction no bar."""
    assert only(Progress("🔄 Carregando", 0.5, "12 s")) == (
        "🔄 Carregando\n████████░░░░░░░░ 50%  12 s",
        [("bold", "🔄 Carregando")],
    )
    assert only(Progress("espere", None))[0] == "espere"


@pytest.mark.parametrize(
    ("card", "text"),
    [
        (Notice(Tone.ERROR, "⚠️ t", "corpo"), "⚠️ t\ncorpo"),
        (Choice("q?", (Button("a", "b"),), "corpo"), "q?\ncorpo"),
        (Secret("chave?", "key", "key openai"), "chave?"),
        (Picture(b"", "legenda"), "legenda"),
        (Reply("", done=True), "…"),
        (Reply("", done=False), "…"),
        (Notice(Tone.INFO, ""), "…"),
    ],
)
def test_words(card: Card, text: str) -> None:
    """Every card is readable, and no message is empty."""
    assert only(card)[0] == text


def test_a_listing() -> None:
    """Names stand out, the one in use has an arrow, notes are slanted; what looks like Markdown is not."""
    rows = (Row("✓", "a_b_c", "8B", current=True), Row("❌", "*d*", note="caiu"))
    text, entities = only(Listing("📚 T", rows, "corpo"))
    assert text == "📚 T\ncorpo\n→ ✓ a_b_c — 8B\n❌ *d*\ncaiu"
    assert entities == [("bold", "📚 T"), ("bold", "a_b_c"), ("bold", "*d*"), ("italic", "caiu")]


def test_a_reply() -> None:
    """Header and footnote are ours; Markdown becomes entities, counted in UTF-16 units."""
    card = Reply("🙂 um **forte** `x`\n```py\ny\n```", done=True, header="✅ pronto", footnote="nota")
    text, entities = only(card)
    assert text == "✅ pronto\n\n🙂 um forte x\ny\n\nnota"
    assert entities == [
        ("bold", "✅ pronto"),
        ("bold", "forte"),
        ("code", "x"),
        ("pre", "y"),
        ("italic", "nota"),
    ]


def test_thinking() -> None:
    """A line while it grows; folded above the answer when it is there, cut where it is endless."""
    growing = Reply("", done=False, thinking="hmm", thinking_label="💭 raciocínio")
    assert only(growing) == ("💭 raciocínio", [("italic", "💭 raciocínio")])
    text, entities = only(Reply("sim", done=True, thinking="h **m**", thinking_label="💭 r"))
    assert text == "💭 r\nh **m**\n\nsim"
    assert entities == [("expandable_blockquote", "💭 r\nh **m**"), ("bold", "💭 r")]
    endless = drawn(Reply("sim", done=True, thinking="h" * 9000, thinking_label="💭 r"))
    assert len(endless) == 1
    assert endless[0].text.endswith("h…\n\nsim")


def test_a_long_reply_is_split() -> None:
    """No part is longer than 4096 units of UTF-16, nothing is lost, and a caption is split sooner."""
    words = [f"palavra🙂{n}" for n in range(900)]
    parts = drawn(Reply(" ".join(words), done=True, footnote="fim"))
    assert len(parts) > 2
    assert all(len(p.text.encode("utf-16-le")) // 2 <= 4096 for p in parts)
    assert " ".join(p.text for p in parts).split() == [*words, "fim"]
    assert all(len(p.text) <= 1024 for p in drawn(Picture(b"", "palavra " * 200)))


def test_a_growing_text_is_drawn_as_the_whole_would_be() -> None:
    """What is kept between versions changes nothing."""
    text = "# T\n\n- a **b**\n- c\n\n```py\nx = 1\n```\n\nfim `y`"
    renderer = Renderer()
    for end in range(len(text) + 1):
        card = Reply(text[:end], done=end == len(text))
        assert renderer.draw(card, None) == Renderer().draw(card, None)
