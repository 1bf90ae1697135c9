"""What people send besides text, photos and documents, in the smallest form the Bot API has."""

from tests.fakes.telegram.files import Files
from tests.fakes.telegram.messages import Media
from tests.fakes.telegram.wire import Json

_WITH_FILE: dict[str, Json] = {
    "voice": {"duration": 3, "mime_type": "audio/ogg"},
    "audio": {"duration": 60, "mime_type": "audio/mpeg"},
    "video": {"duration": 5, "width": 640, "height": 360, "mime_type": "video/mp4"},
    "video_note": {"duration": 5, "length": 240},
    "sticker": {
        "type": "regular",
        "width": 512,
        "height": 512,
        "is_animated": False,
        "is_video": False,
        "emoji": "🙂",
    },
}
_WITHOUT: dict[str, Json] = {
    "location": {"latitude": -8.05, "longitude": -34.9},
    "contact": {"phone_number": "+5500000000000", "first_name": "Nobody"},
    "dice": {"emoji": "🎲", "value": 4},
}


def oddment(kind: str, files: Files) -> Media:
    if kind in _WITHOUT:
        return Media(kind, _WITHOUT[kind])
    stored = files.add(b"\x00", f"{kind}s", f"{kind}.bin")
    return Media(kind, stored.named() | _WITH_FILE[kind], stored)
