"""Makes `openapi.json` from Discord's own OpenAPI: `python -m tests.fakes.discord.extract specs/openapi.json`.

The source is `specs/openapi.json` of the repository discord/discord-api-spec on GitHub (the npm package
`discord-api-spec` is generated from it). It is Copyright 2023 Discord, under the MIT licence, which
stands in `LICENSE.openapi`. Only what a bot sends in the routes below is kept: its JSON bodies, without prose.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("openapi.json")
NOTICE = "Extracted from discord/discord-api-spec, specs/openapi.json: see LICENSE.openapi beside this file"
ROUTES = (
    "/applications/@me",
    "/applications/{application_id}/commands",
    "/applications/{application_id}/commands/{command_id}",
    "/applications/{application_id}/guilds/{guild_id}/commands",
    "/channels/{channel_id}",
    "/channels/{channel_id}/messages",
    "/channels/{channel_id}/messages/{message_id}",
    "/channels/{channel_id}/messages/{message_id}/threads",
    "/channels/{channel_id}/threads",
    "/channels/{channel_id}/typing",
    "/channels/{channel_id}/thread-members/{user_id}",
    "/channels/{channel_id}/thread-members/@me",
    "/interactions/{interaction_id}/{interaction_token}/callback",
    "/users/@me",
    "/users/@me/channels",
    "/webhooks/{webhook_id}/{webhook_token}",
    "/webhooks/{webhook_id}/{webhook_token}/messages/@original",
    "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}",
)
_PROSE = ("description", "title", "examples", "example", "x-enumDescriptors")
_PREFIX = "#/components/schemas/"


def _trimmed(schema: Any) -> Any:
    """Without prose; an object with known fields takes no others."""
    if isinstance(schema, list):
        return [_trimmed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    properties = schema.get("properties")
    kept = {key: _trimmed(value) for key, value in schema.items() if key not in (*_PROSE, "properties")}
    if isinstance(properties, dict):
        kept["properties"] = {name: _trimmed(value) for name, value in properties.items()}
        kept.setdefault("additionalProperties", False)
    return kept


def _named(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for each in schema:
            yield from _named(each)
    elif isinstance(schema, dict):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix(_PREFIX)
        for each in schema.values():
            yield from _named(each)


def extract(whole: dict[str, Any]) -> dict[str, Any]:
    """The schema of each body by route, and every schema these name."""
    bodies: dict[str, Any] = {}
    for path in ROUTES:
        for method, operation in whole["paths"].get(path, {}).items():
            if method not in ("post", "put", "patch", "delete"):
                continue
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            bodies[f"{method.upper()} {path}"] = _trimmed(schema)
    schemas: dict[str, Any] = {}
    waiting = list(_named(bodies))
    while waiting:
        name = waiting.pop()
        if name not in schemas:
            schemas[name] = _trimmed(whole["components"]["schemas"][name])
            waiting += _named(schemas[name])
    return {"notice": NOTICE, "bodies": bodies, "components": {"schemas": dict(sorted(schemas.items()))}}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.discord.extract")
    parser.add_argument("source", type=Path)
    source = parser.parse_args().source
    made = extract(json.loads(source.read_text(encoding="utf-8")))
    TARGET.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
