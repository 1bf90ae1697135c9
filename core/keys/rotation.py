"""A new master key, with the bot running: made, used for every stored key, and only then the old one goes.

Whatever moment the program is killed at, the ring holds every key that some row needs: the new one is in the
file before a row is sealed with it, the old one leaves it when no row is left. Started again, it goes on.
The ring is changed only in a transaction that keeps other programs from writing, and a bot reads the ring
in the same transaction in which it stores a key: so none is stored under a master key that was just dropped.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from core.clock import Clock
from core.keys.rings import RingSource, next_id
from core.keys.sealing import Label, Ring, Unsealable, seal, unseal
from core.lost import KeyRingWrong
from core.storage.keys import KeyRow, KeyTable, NewKey

BATCH = 25  # rows in one transaction: a few milliseconds in which nobody else writes
BREATH = 0.02  # seconds between two of them, in which others do


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did. `unreadable` rows are as they were; `dropped` are the ids of keys that are gone.

    `removable` = ids that nothing needs any more, of a ring that is not ours to change.
    `resumed` = it went on with one that had been broken off.
    """

    first: str
    moved: int = 0
    unreadable: int = 0
    dropped: tuple[str, ...] = ()
    removable: tuple[str, ...] = ()
    resumed: bool = False


async def rotate(
    table: KeyTable,
    rings: RingSource,
    clock: Clock,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Rotated:
    """Move every stored key under the first master key, a fresh one where the ring is ours.

    Raises KeyRingWrong if keys are stored and there is no ring.
    """
    ring, resumed = await table.alone(lambda taken: _begun(rings, taken))
    moved = unreadable = 0
    while True:
        more, closed = await _move(table, ring, clock, progress, moved)
        moved, unreadable = moved + more, closed
        gone = await _finish(table, rings, ring)
        if gone is not None:
            break
    kept = () if rings.ours else gone
    return Rotated(ring.first, moved, unreadable, gone if rings.ours else (), kept, resumed)


def _begun(rings: RingSource, taken: Collection[str]) -> tuple[Ring, bool]:
    """The ring to move to: written before any row needs it. More than one key in the file = broken off."""
    ring = rings.read()
    if not ring.keys:
        if taken:
            raise KeyRingWrong("lost", rings.where, ", ".join(sorted(taken)))
        return rings.make(), False
    if not rings.ours:
        return ring, False
    if len(ring.keys) > 1:
        return ring, True
    ring = ring.with_new(next_id({*taken, *ring.ids}))
    rings.write(ring)
    return ring, False


async def _move(
    table: KeyTable, ring: Ring, clock: Clock, progress: Callable[[int], None], before: int
) -> tuple[int, int]:
    """Seal every row anew that can be opened; how many, and how many cannot."""
    moved = unreadable = last = 0
    while done := await table.reseal(ring.first, last, BATCH, lambda row: _moved(ring, row)):
        last = done[-1][0]
        moved += sum(opened for _, opened in done)
        unreadable += sum(not opened for _, opened in done)
        progress(before + moved)
        await clock.sleep(BREATH)
    return moved, unreadable


def _moved(ring: Ring, row: KeyRow) -> NewKey | None:
    label = Label(row.owner, row.provider)
    try:
        secret = unseal(ring, label, row.key)
    except Unsealable:
        return None
    new = seal(ring, label, secret)
    return NewKey(new.record, new.key_id, new.fingerprint)


async def _finish(table: KeyTable, rings: RingSource, ring: Ring) -> tuple[str, ...] | None:
    """Drop the old keys; `None` if meanwhile a row came that still needs one."""
    behind = await table.behind(ring.first)
    if any(_moved(ring, row) is not None for row in behind):
        return None

    def drop(_: Collection[str]) -> tuple[str, ...]:
        now = rings.read()
        if not rings.ours or (now.keys and now.first != ring.first):  # another rotation began: it drops them
            return tuple(one for one in ring.ids if one != ring.first)
        if len(now.keys) != 1:
            rings.write(ring.only_first())
        return ring.ids[1:]

    return await table.alone(drop)
