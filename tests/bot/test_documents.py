"""Files that come with a question: what can be read, how it is quoted, and why not."""

import asyncio
import os
import sys
from collections.abc import Callable

import psutil
import pytest

from bot.documents import LIMITS, Documents, DocumentTexts, Kind, Reason, Unreadable, kind_of, refusal
from bot.documents import reading as module
from bot.documents.reading import decoded, quoted
from tests.fakes.pdf import locked, pdf, scanned


@pytest.mark.parametrize(
    ("name", "mime", "kind"),
    [
        ("a.TXT", None, Kind.TEXT),
        ("Dockerfile", None, Kind.TEXT),
        ("dados", "text/plain", Kind.TEXT),
        ("dados", "text/plain; charset=utf-8", Kind.TEXT),
        ("x", "application/json", Kind.TEXT),
        ("a.py", "application/octet-stream", Kind.TEXT),
        ("a.pdf", "application/octet-stream", Kind.PDF),
        ("A.PDF", None, Kind.PDF),
        ("contrato", "application/pdf", Kind.PDF),
        ("foto.jpg", "image/jpeg", Kind.PICTURE),
        ("a.zip", "application/zip", None),
        ("foto.heic", "image/heic", None),
        ("?", None, None),
    ],
)
def test_what_a_file_is(name: str, mime: str | None, kind: Kind | None) -> None:
    """By its name or by what the platform says of it."""
    assert kind_of(name, mime) is kind


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("olá".encode(), "olá"),
        ("\ufeffolá".encode(), "olá"),
        ("olá".encode("utf-16"), "olá"),
        ("olá".encode("cp1252"), "olá"),
        (b"a\0b", None),
        (b"", ""),
    ],
)
def test_the_text_of_a_file(data: bytes, text: str | None) -> None:
    """In the encodings that people's machines write; what holds zero bytes is no text."""
    assert decoded(data) == text


def test_no_fence_inside_closes_the_block() -> None:
    """The fence is longer than any in the file; the end of the name is the language."""
    assert quoted("a.md", "x\n  ````\ny\n") == "a.md:\n`````md\nx\n  ````\ny\n`````"
    assert quoted("notas", "x") == "notas:\n```\nx\n```"


async def test_the_words_of_a_pdf() -> None:
    """Page after page, accents too, as a block under its name; also where only its owner may change it."""
    data = pdf("Relatório (2026)\nsegunda linha", "Página dois: ação")
    told = "r.pdf:\n```\nRelatório (2026)\nsegunda linha\n\nPágina dois: ação\n```"
    assert await Documents().words("r.pdf", Kind.PDF, data) == told
    assert await Documents().words("r.pdf", Kind.PDF, locked(data, "")) == told


def too_long() -> bytes:
    return pdf(*["palavras e mais palavras\n" * 40] * 300)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: locked(pdf("segredo"), "senha"), Reason.ENCRYPTED),
        (lambda: scanned(3), Reason.NO_WORDS),
        (lambda: b"%PDF-1.4\nnothing of the kind", Reason.BROKEN),
        (lambda: pdf("cortado ao meio")[:300], Reason.BROKEN),
        (lambda: b"", Reason.BROKEN),
        (too_long, Reason.TOO_LONG),
        (lambda: b"%PDF" + b" " * LIMITS[Kind.PDF], Reason.TOO_LARGE),
    ],
)
async def test_a_pdf_without_words_says_why(make: Callable[[], bytes], reason: Reason) -> None:
    """A password, pages that are pictures, damage, too many bytes, too many words."""
    with pytest.raises(Unreadable) as why:
        await Documents().words("x.pdf", Kind.PDF, make())
    assert why.value.reason is reason


FOR_EVER = (sys.executable, "-c", "import time; time.sleep(600)")


def children() -> set[int]:
    """The processes of this one; those that other tests have left may still be ending."""
    return {child.pid for child in psutil.Process(os.getpid()).children()}


async def test_a_pdf_that_takes_for_ever() -> None:
    """Its process is ended, the loop goes on meanwhile, and nothing is left."""
    before = children()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.002)
            ticks += 1

    ticking = asyncio.create_task(tick())
    with pytest.raises(Unreadable) as why:
        await Documents(patience=0.3, program=FOR_EVER).words("x.pdf", Kind.PDF, b"%PDF")
    ticking.cancel()
    assert why.value.reason is Reason.TOO_SLOW
    assert ticks > 10
    assert children() - before == set()


async def test_who_stops_waiting_ends_the_process() -> None:
    """Cancelled, it leaves no process behind."""
    before = children()
    reading = asyncio.create_task(Documents(program=FOR_EVER).words("x.pdf", Kind.PDF, b"%PDF"))
    while not children() - before:  # noqa: ASYNC110  # of the system
        await asyncio.sleep(0.005)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert children() - before == set()


def test_the_process_gets_no_secret() -> None:
    """Only what a process needs to start is handed on: no token, no key."""
    assert not [name for name in module.INHERITED if "TOKEN" in name or "KEY" in name]


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_a_card(reason: Reason) -> None:
    """With the name of the file, and the limit where there is one."""
    card = refusal(Unreadable(reason, "a{b}.pdf", 10_000_000), DocumentTexts())
    assert "a{b}.pdf" in card.title
    assert card.body
    assert ("10" in card.body) is (reason in {Reason.TOO_LARGE, Reason.TOO_LONG})
