"""The judge of bodies: Discord's own OpenAPI, and the 2,000 characters a bot may say at once."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from tests.fakes.discord.wire import Json

LONGEST_TEXT = 2000  # the schema says 4,000: that is what people with Nitro may say
_SNOWFLAKES = 1 << 40  # no other number in a body is as large; flags end at 2^40
_OPENAPI: Json = json.loads(Path(__file__).with_name("openapi.json").read_text(encoding="utf-8"))


@cache
def templates(method: str) -> list[tuple[str, list[str]]]:
    routes = (name.split(" ", 1)[1] for name in _OPENAPI["bodies"] if name.startswith(f"{method} "))
    return [(route, route.strip("/").split("/")) for route in routes]


@cache
def route_of(method: str, path: str) -> str:
    """The name of a route in the OpenAPI; of others the path, with numbers hidden."""
    parts = path.strip("/").split("/")
    best = ""
    for route, wanted in templates(method):
        meets = len(wanted) == len(parts) and all(
            part == want or want.startswith("{") for part, want in zip(parts, wanted, strict=True)
        )
        if meets and (not best or route.count("{") < best.count("{")):
            best = route
    return f"{method} " + (best or "/" + "/".join("{id}" if part.isdecimal() else part for part in parts))


@cache
def _validator(route: str) -> Draft202012Validator:
    return Draft202012Validator({"components": _OPENAPI["components"], **_OPENAPI["bodies"][route]})


def _as_told(value: Any, name: str = "") -> Any:
    """Snowflakes as strings: the OpenAPI has them so, discord.py sends numbers, Discord takes both."""
    if isinstance(value, dict):
        told = {key: _as_told(each, key) for key, each in value.items()}
        return told | {"id": str(value["id"])} if name == "attachments" and "id" in value else told
    if isinstance(value, list):
        return [_as_told(each, name) for each in value]
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number and value >= _SNOWFLAKES else value


def _texts(body: Any) -> Iterator[str]:
    """The contents of messages, at any depth; `content` of a component is another thing."""
    if isinstance(body, dict):
        content = body.get("content")
        if isinstance(content, str) and "type" not in body:
            yield content
        for name in ("data", "message"):
            inner = body.get(name)
            if isinstance(inner, dict) and isinstance(inner.get("content"), str):
                yield inner["content"]


def judge(route: str, body: Any) -> str | None:
    """What is wrong with a body, if anything is."""
    if route not in _OPENAPI["bodies"]:
        return None if body is None or route.startswith("GET ") else f"no such route is known: {route}"
    if _OPENAPI["bodies"][route] is None:
        return None if body is None else "this route takes no body"
    long = [len(text) for text in _texts(body) if len(text) > LONGEST_TEXT]
    if long:
        return f"content of {long[0]} characters: a bot may say {LONGEST_TEXT}"
    told = _as_told(body)
    if route.startswith("PATCH ") and isinstance(told, dict):
        told.pop("tts", None)  # discord.py sends it with every edit; Discord takes no notice
    for command in told if isinstance(told, list) else ():
        command.pop("nsfw", None)  # documented for commands, and missing in the OpenAPI
    error = best_match(_validator(route).iter_errors(told))
    return None if error is None else f"{error.json_path}: {error.message}"[:600]
