"""What came with a call: a JSON body, or a form with files."""

import io
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.discord.wire import ApiError, bad_body


@dataclass(frozen=True, slots=True)
class Upload:
    """A file, as simcord takes it."""

    filename: str
    fp: io.BytesIO = field(repr=False)
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    body: Any = None
    files: tuple[Upload, ...] = ()


async def read(request: web.BaseRequest) -> Sent:
    """The body; discord.py and Discord agree that its type is exactly `application/json`, or a form."""
    if not request.can_read_body:
        return Sent()
    if request.content_type == "multipart/form-data":
        return await _form(request)
    text = await request.text()
    if not text:
        return Sent()
    if request.content_type != "application/json":
        raise ApiError(400, 50109, "The request body contains invalid JSON.")
    try:
        return Sent(json.loads(text))
    except ValueError:
        raise ApiError(400, 50109, "The request body contains invalid JSON.") from None


async def _form(request: web.BaseRequest) -> Sent:
    form = await request.post()
    payload = form.get("payload_json")
    body = json.loads(payload) if isinstance(payload, str) else None
    named = {str(each.get("id")): each for each in _attachments(body)}
    files = []
    for name, part in form.items():
        if not isinstance(part, web.FileField):
            continue
        number = name.removeprefix("files[").removesuffix("]")
        if not number.isdecimal():
            raise bad_body(f"a file is called files[n], not {name}")
        description = named.get(number, {}).get("description")
        files.append(Upload(part.filename, io.BytesIO(part.file.read()), description))
    return Sent(body, tuple(files))


def _attachments(body: Any) -> list[Any]:
    """Wherever a body names its files: in itself, or in the data of an interaction's answer."""
    if not isinstance(body, dict):
        return []
    inner = body.get("data")
    return [*(body.get("attachments") or []), *(_attachments(inner) if inner else [])]
