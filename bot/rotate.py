"""`python -m bot keys rotate` and `python -m bot keys new`: the master keys, also while the bot runs."""

import asyncio
import sys

from bot.begin import complain
from bot.cards import Notice, Tone, plain
from bot.texts import Speech
from core.clock import SystemClock
from core.errors import Problem
from core.keys import Ring, Rotated, fresh, ring_of, rotate
from core.settings import Settings
from core.storage import DATABASE, Store
from core.storage.keys import KeyTable


def turn(settings: Settings) -> int:
    """Move every stored key under a new master key; the exit code."""
    t = Speech(settings.language)
    if not (settings.data_dir / DATABASE).exists():
        return _say(Notice(Tone.INFO, t("rotate.nothing", path=settings.data_dir)))
    try:
        done = asyncio.run(_turned(settings))
    except Problem as problem:
        return complain(problem, t)
    return _say(_card(done, t, by_setting=settings.master_keys is not None))


def new(settings: Settings) -> int:
    """Print a fresh master key as MASTER_KEYS takes it, to standard output alone; the exit code."""
    t = Speech(settings.language)
    try:
        ring: Ring = fresh(ring_of(settings.data_dir, lambda: settings.master_keys))
    except Problem as problem:
        return complain(problem, t)
    sys.stdout.write(f"{ring.written()}\n")
    sys.stderr.write(t("rotate.new_key") + "\n")
    return 0


async def _turned(settings: Settings) -> Rotated:
    """No `sole` here: the bot goes on answering meanwhile."""
    rings = ring_of(settings.data_dir, lambda: settings.master_keys)
    async with Store.open(settings.data_dir / DATABASE) as store:
        return await rotate(KeyTable.over(store), rings, SystemClock())


def _card(done: Rotated, t: Speech, *, by_setting: bool) -> Notice:
    lines = [t("rotate.moved", n=done.moved)]
    if done.resumed:
        lines.append(t("rotate.resumed"))
    if done.dropped:
        lines.append(t("rotate.dropped", ids=", ".join(done.dropped)))
    if by_setting:
        ids = ", ".join(done.removable)
        lines.append(t("rotate.removable", ids=ids) if ids else t("rotate.only_one"))
    if done.unreadable:
        lines.append(t("rotate.unreadable", n=done.unreadable))
    tone = Tone.WARNING if done.unreadable else Tone.SUCCESS
    return Notice(tone, t("rotate.done", id=done.first), "\n".join(lines))


def _say(card: Notice) -> int:
    sys.stdout.write(plain(card) + "\n")
    return 0
