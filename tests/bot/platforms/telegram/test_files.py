"""What comes with a message: which size of a photo."""

from telegram import PhotoSize

from bot.documents import LIMITS, Kind
from bot.platforms.telegram.files import best

TOO_MUCH = LIMITS[Kind.PICTURE] + 1


def size(width: int, file_size: int | None) -> PhotoSize:
    return PhotoSize(f"f{width}", f"u{width}", width, width, file_size)


def test_the_largest_size_that_fits() -> None:
    """Too large ones are passed over; a size of unknown weight is tried."""
    assert best((size(90, 10), size(800, 1000), size(2560, TOO_MUCH))) == size(800, 1000)
    assert best((size(90, 10), size(1280, None))) == size(1280, None)
    assert best((size(90, TOO_MUCH),)) is None
