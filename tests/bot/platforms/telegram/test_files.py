"""What comes with a message: which size, which file is text, and how it is quoted."""

import pytest
from telegram import PhotoSize

from bot.platforms.telegram.files import PICTURE_BYTES, best, decoded, is_text, quoted


def size(width: int, file_size: int | None) -> PhotoSize:
    return PhotoSize(f"f{width}", f"u{width}", width, width, file_size)


def test_the_largest_size_that_fits() -> None:
    """Too large ones are passed over; a size of unknown weight is tried."""
    assert best((size(90, 10), size(800, 1000), size(2560, PICTURE_BYTES + 1))) == size(800, 1000)
    assert best((size(90, 10), size(1280, None))) == size(1280, None)
    assert best((size(90, PICTURE_BYTES + 1),)) is None


@pytest.mark.parametrize(
    ("name", "mime", "readable"),
    [
        ("a.TXT", None, True),
        ("Dockerfile", None, True),
        ("dados", "text/plain", True),
        ("x", "application/json", True),
        ("a.py", "application/octet-stream", True),
        ("a.pdf", "application/pdf", False),
        ("a.zip", "application/zip", False),
        ("?", None, False),
    ],
)
def test_which_file_is_text(name: str, mime: str | None, readable: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """By its name or by what Telegram says of it."""
    assert is_text(name, mime) is readable


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
