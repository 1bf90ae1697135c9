"""A host as the doctor sees it: not what it offers to a conversation, but what stands in the way."""

import asyncio
from dataclasses import dataclass

from core.errors import Problem
from core.model import HostHealth
from core.probe import Probe, Seen
from core.providers.lmstudio.client import LMStudio
from core.providers.lmstudio.rest import origin

PATIENCE = 15.0  # seconds for all of it


@dataclass(frozen=True, slots=True)
class Inspection:
    """`greets` = LM Studio itself says so. `page` = something else answered, with a web page (a proxy, mostly).

    `just_in_time` is `None` where it cannot be told: nothing sleeps there, or the build lists no catalogue.
    """

    health: HostHealth
    greets: bool
    page: bool
    status: int
    server: str
    models: int
    just_in_time: bool | None


async def inspect(url: str, token: str | None, probe: Probe) -> Inspection:
    """Read-only calls; nothing is loaded. Never raises, and takes no longer than PATIENCE."""
    host = LMStudio(url, token=token)
    here = origin(url)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with asyncio.timeout(PATIENCE):
            greeting = await probe.get(f"{here}/lmstudio-greeting", headers, near=True)
            health = await host.health()
            keys = await _keys(host) if health.reachable and health.detail != "401" else {}
            listed = await probe.get(f"{here}/v1/models", headers, near=True)
    except TimeoutError:
        silent = HostHealth("lmstudio", host.host, reachable=False, detail="TimeoutError")
        return Inspection(silent, greets=False, page=False, status=0, server="", models=0, just_in_time=None)
    finally:
        await host.aclose()
    return Inspection(
        health=health,
        greets=isinstance(greeting.body, dict) and greeting.body.get("lmstudio") is True,
        page=greeting.status != 0 and greeting.body is None,
        status=greeting.status,
        server=greeting.server,
        models=len(keys),
        just_in_time=_just_in_time(keys, listed) if health.api == "v1" else None,
    )


async def _keys(host: LMStudio) -> dict[str, bool]:
    """Every model, and whether it is loaded."""
    try:
        return {model.key: model.instance is not None for model in await host.models()}
    except Problem:
        return {}


def _just_in_time(keys: dict[str, bool], listed: Seen) -> bool | None:
    """With just-in-time loading off `/v1/models` lists only what is loaded (trap B3 of TRAPS.md)."""
    sleeping = {key for key, loaded in keys.items() if not loaded}
    match listed.body:
        case {"data": [*rows]} if sleeping:
            names = {str(row.get("id")) for row in rows if isinstance(row, dict)}
            return bool(names & sleeping)
        case _:
            return None
