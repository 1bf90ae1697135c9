"""A bot's call on the wire: query string, form, multipart or JSON, as the Bot API takes them all."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from aiohttp.web_request import FileField

from tests.fakes.telegram.schema import Upload
from tests.fakes.telegram.wire import Json, bad

_ATTACHED = "attach://"


async def read_parameters(request: web.BaseRequest) -> Json:
    """All parameters of a call; files are `Upload`s."""
    parameters: Json = dict(request.query)
    if request.method not in ("GET", "POST"):
        return parameters
    if request.content_type == "application/json":
        body = await request.text()
        parsed = json.loads(body) if body else {}
        if not isinstance(parsed, dict):
            raise bad("object expected")
        return parameters | parsed
    if request.method == "POST":
        for name, value in (await request.post()).items():
            parameters[name] = _upload(value) if isinstance(value, FileField) else _text(value)
    return _attached(parameters)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes | bytearray) else str(value)


def _upload(field: FileField) -> Upload:
    return Upload(field.filename, field.file.read(), field.content_type)


def _attached(parameters: Json) -> Json:
    """Each `attach://name` becomes the file of that name."""
    used: set[str] = set()
    resolved = {}
    for name, value in parameters.items():
        if isinstance(value, str) and value.startswith(_ATTACHED):
            part = value.removeprefix(_ATTACHED)
            if not isinstance(parameters.get(part), Upload):
                raise bad(f"file {part} not found")
            used.add(part)
            resolved[name] = parameters[part]
        else:
            resolved[name] = value
    return {name: value for name, value in resolved.items() if name not in used}


_SECRET = frozenset(("secret_token", "certificate", "provider_token"))


def without_secrets(parameters: Mapping[str, Any]) -> Json:
    """What may be written down of a call."""
    return {name: "***" if name in _SECRET else value for name, value in parameters.items()}
