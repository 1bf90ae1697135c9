"""Keys of vendors: stored sealed, found by who asks, opened only in the hand that needs them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import Enum

import structlog
from pydantic import SecretStr

from core.clock import Clock
from core.keys.rings import RingSource
from core.keys.sealing import EMPTY, Label, Ring, Unsealable, is_same, seal, unseal
from core.keyshape import shown
from core.lost import KeyUnreadable
from core.providers.base import KeySource
from core.storage.keys import KeyRow, KeyTable, NewKey

log = structlog.get_logger(__name__)

SHARED = "*"  # the owner of keys that serve everybody
LOOKS = 3  # at a row that a rotation moves meanwhile


class Origin(Enum):
    """Whose key serves."""

    OWN = "own"
    SHARED = "shared"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Found:
    """A key that serves somebody, and where it is from; `row` is 0 for one of the settings."""

    secret: SecretStr
    origin: Origin
    row: int = 0


class Keys:
    """The vault. `of_settings` gives the operator's key for a vendor; `seen` is told every key that is opened."""

    def __init__(
        self,
        table: KeyTable,
        rings: RingSource,
        clock: Clock,
        *,
        of_settings: Callable[[str], SecretStr | None] = lambda _: None,
        seen: Callable[[SecretStr], None] = lambda _: None,
    ) -> None:
        self._table = table
        self._rings = rings
        self._clock = clock
        self._of_settings = of_settings
        self._seen = seen
        self._ring: Ring = EMPTY
        self._closed: set[str] = set()

    def open(self) -> None:
        """Look at the ring once, so that one that cannot be used is told of at the start."""
        self._ring = self._rings.read()

    # ------------------------------------------------------------ what serves

    async def find(self, person: str | None, vendor: str) -> Found | None:
        """The key that serves: the person's own, else the shared one, else that of the settings.

        One that does not open is passed over. Raises KeyUnreadable if nothing else serves.
        """
        owners = [SHARED] if person is None else [person, SHARED]
        rows = {row.owner: row for row in await self._table.find(vendor, owners) if row.active}
        closed: KeyUnreadable | None = None
        for row in filter(None, map(rows.get, owners)):
            try:
                secret = await self._opened(row)
            except KeyUnreadable as unreadable:
                closed = unreadable
                continue
            if secret is not None:
                return Found(secret, Origin.SHARED if row.owner == SHARED else Origin.OWN, row.id)
        secret = self._of_settings(vendor)
        if secret is None and closed is not None:
            raise closed
        return None if secret is None else Found(secret, Origin.SETTINGS)

    def of_settings(self, vendor: str) -> SecretStr | None:
        """The operator's key for a vendor."""
        return self._of_settings(vendor)

    def source(self, vendor: str) -> KeySource:
        """Where a provider of that vendor's models takes the key for a person's call from.

        One that does not open is as good as none: whoever has it must be able to use all other models.
        """

        async def key(person: str | None) -> SecretStr | None:
            try:
                found = await self.find(person, vendor)
            except KeyUnreadable:
                if vendor not in self._closed:  # once: it is asked for with every message
                    log.warning("stored key does not open", vendor=vendor)
                self._closed.add(vendor)
                return None
            return None if found is None else found.secret

        return key

    async def of(self, owner: str, vendor: str) -> Found | None:
        """The stored key of this owner alone, active or not."""
        for row in await self._table.find(vendor, [owner]):
            if (secret := await self._opened(row)) is not None:
                return Found(secret, Origin.SHARED if owner == SHARED else Origin.OWN, row.id)
        return None

    async def _opened(self, row: KeyRow) -> SecretStr | None:
        """Open it; `None` if it was forgotten meanwhile. A rotation may move it under our eyes: look again."""
        for _ in range(LOOKS):
            try:
                secret = self._unsealed(row)
            except Unsealable as closed:
                if not closed.unknown:
                    break
            else:
                self._seen(secret)
                return secret
            rows = await self._table.find(row.provider, [row.owner])
            if not rows:
                return None
            row = rows[0]
        raise KeyUnreadable(row.provider)

    def _unsealed(self, row: KeyRow) -> SecretStr:
        label = Label(row.owner, row.provider)
        try:
            return unseal(self._ring, label, row.key)
        except Unsealable as closed:
            if not closed.unknown:
                raise
        self._ring = self._rings.read()  # a rotation has put a new key into it
        return unseal(self._ring, label, row.key)

    # ------------------------------------------------------------ what is stored

    def noted(self, secret: SecretStr) -> None:
        """Somebody gave this: it must be read nowhere, whatever becomes of it."""
        self._seen(secret)

    async def stored(self, *owners: str) -> Sequence[KeyRow]:
        """What is known of the keys of these owners; none of them is opened."""
        return await self._table.of(owners)

    async def already(self, owner: str, vendor: str, secret: SecretStr) -> KeyRow | None:
        """The row of this owner that holds this very key; it is not opened for that."""
        for row in await self._table.find(vendor, [owner]):
            for ring in (self._ring, self._rings.read()):
                if is_same(ring, row.key_id, row.fingerprint, vendor, secret):
                    return row
        return None

    async def put(self, owner: str, vendor: str, secret: SecretStr) -> KeyRow:
        """Store a key in place of the one this owner has for that vendor."""
        self._seen(secret)
        label = Label(owner, vendor)

        def sealed(taken: Collection[str]) -> NewKey:
            self._ring = self._rings.make(taken)
            new = seal(self._ring, label, secret)
            return NewKey(new.record, new.key_id, new.fingerprint)

        at = self._clock.time()
        await self._table.put(vendor, owner, sealed, shown(secret.get_secret_value()), at)
        return (await self._table.find(vendor, [owner]))[0]

    async def checked(self, row: int, outcome: str, *, active: bool | None) -> None:
        """Remember how a check with the vendor went; a key that is not active serves nobody, `None` = as before."""
        await self._table.checked(row, outcome, self._clock.time(), active=active)

    async def forget(self, owner: str, vendor: str) -> bool:
        """Delete a key; False if there was none."""
        return await self._table.forget(vendor, owner)
