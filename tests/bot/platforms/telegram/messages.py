"""Messages as Telegram tells of them, for tests without a server."""

import datetime as dt
from typing import Any

from telegram import Message, User

ME = User(7, "Bot", is_bot=True, username="orq_bot")
ANA = {"id": 42, "is_bot": False, "first_name": "Ana", "language_code": "pt-br"}
PRIVATE = {"id": 42, "type": "private", "first_name": "Ana"}
GROUP = {"id": -100500, "type": "supergroup", "title": "G"}
FORUM = GROUP | {"is_forum": True}
NOW = int(dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp())


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def mention(text: str, name: str, kind: str = "mention", **more: Any) -> dict[str, Any]:
    """The entity over that part of the text."""
    return {"type": kind, "offset": units(text[: text.index(name)]), "length": units(name), **more}


def message(text: str = "", chat: dict[str, Any] | None = None, **fields: Any) -> Message:
    told = {"message_id": 5, "date": NOW, "chat": chat or PRIVATE, "from": ANA, **fields}
    if text:
        told["text"] = text
    made = Message.de_json(told, None)
    assert made is not None
    return made
