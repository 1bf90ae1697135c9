"""Cards: what each says as plain text, and which mean that something failed."""

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
    bar,
    is_error,
    plain,
)

RETRY = (Button("Again", "retry"),)


@pytest.mark.parametrize(
    ("card", "text"),
    [
        (Reply("answer", done=True), "answer"),
        (
            Reply("answer", done=True, header="HEAD", footnote="FOOT", thinking="why", buttons=RETRY),
            "HEAD\nanswer\nFOOT\n[Again] /retry",
        ),
        (Progress("Loading", None), "Loading"),
        (Progress("Loading", 0.0, "1 s"), "Loading\n" + "░" * 20 + " 0% 1 s"),
        (Progress("Loading", 0.5), "Loading\n" + "█" * 10 + "░" * 10 + " 50%"),
        (Progress("Loading", None, "3 s", RETRY), "Loading\n3 s\n[Again] /retry"),
        (Notice(Tone.INFO, "Title"), "Title"),
        (Notice(Tone.ERROR, "Title", "body", RETRY), "Title\nbody\n[Again] /retry"),
        (Choice("Which?", RETRY, "these"), "Which?\nthese\n[Again] /retry"),
        (Secret("Key?", "key", "key openai"), "Key?"),
        (Picture(b"\x89PNG", "a curve"), "a curve"),
        (Listing("Models", ()), "Models"),
        (
            Listing("Models", (Row("✓", "a", "4 GB", "a note", current=True), Row("💤", "b")), "body"),
            "Models\nbody\n→ ✓ a — 4 GB\n      a note\n  💤 b",
        ),
    ],
)
def test_plain(card: Card, text: str) -> None:
    """Every kind of card has its words, its body and its commands as text, and no empty lines."""
    assert plain(card) == text


@pytest.mark.parametrize(
    ("card", "error"),
    [
        (Notice(Tone.ERROR, "x"), True),
        (Notice(Tone.WARNING, "x"), False),
        (Notice(Tone.SUCCESS, "x"), False),
        (Reply("x", done=True, failed=True), True),
        (Reply("x", done=True), False),
        (Progress("x", None), False),
        (Choice("x", ()), False),
        (Listing("x", ()), False),
        (Secret("x", "y", "z"), False),
        (Picture(b"", "x"), False),
    ],
)
def test_is_error(card: Card, *, error: bool) -> None:
    """Error notices and broken replies are failures; nothing else is."""
    assert is_error(card) is error


@pytest.mark.parametrize(
    ("fraction", "cells", "drawn"),
    [
        (0.0, 4, "░░░░"),
        (0.5, 4, "██░░"),
        (1.0, 4, "████"),
        (-3.0, 4, "░░░░"),
        (7.0, 4, "████"),
        (0.26, 10, "███░░░░░░░"),
    ],
)
def test_bar(fraction: float, cells: int, drawn: str) -> None:
    """A bar has its cells whatever the fraction, and fills in proportion."""
    assert bar(fraction, cells) == drawn
