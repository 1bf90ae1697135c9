"""`python -m bot doctor`: everything that has to be right, one line each, with what to do where it is not.

It changes nothing (but makes the data folder), works offline as far as it can, and ends within a minute whatever hangs.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from bot.doctor import discord, hosts, machine, telegram, vendors
from bot.doctor.finding import Finding, Level
from bot.texts import Speech
from core.probe import Probe
from core.settings import Settings

PATIENCE = 25.0  # seconds for each of the parts that ask somebody


def run(settings: Settings) -> int:
    """Print every finding; the exit code is the worst one: 0 ok, 1 warning, 2 error."""
    t = Speech(settings.language)
    worst = Level.OK

    def say(findings: Iterable[Finding]) -> None:
        nonlocal worst
        for finding in findings:
            worst = max(worst, finding.level)
            sys.stdout.write(f"{finding}\n")
        sys.stdout.flush()

    say(machine.settings(settings, t))
    say(machine.data(settings, t))
    say([machine.keys(settings, t)])
    say(asyncio.run(_asked(settings, t)))
    sys.stdout.write("\n" + t(f"doctor.end_{worst.name.lower()}") + "\n")
    return int(worst)


async def _asked(settings: Settings, t: Speech) -> list[Finding]:
    """What others say, all asked at once."""
    async with Probe() as probe:
        asking: list[tuple[str, Callable[[], Awaitable[list[Finding]]]]] = [
            *(
                (f"LM Studio {url}", lambda url=url: hosts.examine(url, settings, t, probe))
                for url in settings.lmstudio_urls
            ),
            (telegram.TITLE, lambda: _all(telegram.examine(settings, t, probe))),
            (discord.TITLE, lambda: _all(discord.examine(settings, t, probe))),
            *(
                (vendor.title, lambda vendor=vendor, key=key: _one(vendors.examine(vendor, key, t)))
                for vendor, key in vendors.with_keys(settings)
            ),
        ]
        found = await asyncio.gather(*(_in_time(subject, ask, t) for subject, ask in asking))
        return [*(one for some in found for one in some), machine.clock(probe.skews, t)]


async def _in_time(subject: str, ask: Callable[[], Awaitable[list[Finding]]], t: Speech) -> list[Finding]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await ask()
    except TimeoutError:
        return [Finding(Level.ERROR, subject, t("doctor.silent", reason="TimeoutError"), t("doctor.network"))]


async def _all(findings: AsyncIterator[Finding]) -> list[Finding]:
    return [finding async for finding in findings]


async def _one(finding: Awaitable[Finding]) -> list[Finding]:
    return [await finding]
