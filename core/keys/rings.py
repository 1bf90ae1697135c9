"""Where the master keys come from: a file in the data folder that only its owner reads, or a setting."""

import contextlib
import errno
import os
import re
import stat
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from core.errors import SettingWrong, StorageFailed
from core.keys.sealing import EMPTY, Ring
from core.lost import KeyRingWrong

FILE = "master.keys"
OWNER_ONLY = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_NUMBERED = re.compile(r"k(\d{1,9})")
_HEADING = (
    "# The master keys of this bot: without this file no stored API key can be read.\n"
    "# Keep it secret, and keep a copy of it apart from copies of the database.\n"
)


class RingSource(Protocol):
    """Where a ring comes from. Every method may raise KeyRingWrong, SettingWrong or StorageFailed."""

    @property
    def ours(self) -> bool:
        """Whether the program may change it."""
        ...

    @property
    def where(self) -> str:
        """Where it stands, for people: a path, or the name of the setting."""
        ...

    def read(self) -> Ring:
        """The ring as it stands now; EMPTY where there is none yet."""
        ...

    def make(self, taken: Collection[str] = ()) -> Ring:
        """The ring; a first key is made where there is none, under no id that is taken."""
        ...

    def write(self, ring: Ring) -> None:
        """Put that ring in place of the one that stands there, whole or not at all."""
        ...


def ring_of(folder: Path, setting: Callable[[], SecretStr | None]) -> RingSource:
    """The ring of the setting where there is one, else the file in that folder."""
    return SettingRing(setting) if setting() is not None else FileRing(folder / FILE)


class SettingRing:
    """MASTER_KEYS. It is asked for anew each time: `.env` may have been changed meanwhile."""

    ours = False
    where = "MASTER_KEYS"

    def __init__(self, setting: Callable[[], SecretStr | None]) -> None:
        self._setting = setting

    def read(self) -> Ring:
        """See `RingSource.read`."""
        text = self._setting()
        try:
            return Ring.parse(text.get_secret_value() if text is not None else "")
        except ValueError as wrong:
            raise SettingWrong("MASTER_KEYS", str(wrong)) from None

    def make(self, taken: Collection[str] = ()) -> Ring:  # noqa: ARG002  # the port's
        """See `RingSource.make`; there is always one."""
        return self.read()

    def write(self, ring: Ring) -> None:
        """Nobody but the operator can."""
        raise SettingWrong("MASTER_KEYS", f"{ring!r} cannot be written into the environment")


class FileRing:
    """A file of mode 0600, made on first use. It is replaced in one step, so that nobody reads half of it."""

    ours = True

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def where(self) -> str:
        """See `RingSource.where`."""
        return str(self._path)

    def read(self) -> Ring:
        """See `RingSource.read`. Refuses a file that others may read: its keys are theirs already."""
        try:
            handle = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return EMPTY
        except OSError as error:
            raise KeyRingWrong("unreadable", str(self._path), os.strerror(error.errno or 0)) from None
        with os.fdopen(handle, encoding="utf-8", errors="replace") as file:
            mode = stat.S_IMODE(os.fstat(handle).st_mode)
            if os.name == "posix" and mode & _OTHERS:  # Windows keeps rights elsewhere
                raise KeyRingWrong("open", str(self._path), f"{mode:04o}")
            lines = [line for line in file.read().splitlines() if not line.startswith("#")]
        try:
            return Ring.parse(",".join(lines))
        except ValueError as wrong:
            raise KeyRingWrong("damaged", str(self._path), str(wrong)) from None

    def make(self, taken: Collection[str] = ()) -> Ring:
        """See `RingSource.make`. Of two programs that make it at once, one wins and both use its ring."""
        ring = self.read()
        if ring.keys:
            return ring
        with self._guarded():
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = self._drafted(EMPTY.with_new(next_id(taken)))
            try:
                _place(draft, self._path)
            finally:
                draft.unlink(missing_ok=True)
        return self.read()

    def write(self, ring: Ring) -> None:
        """See `RingSource.write`."""
        with self._guarded():
            draft = self._drafted(ring)
            try:
                draft.replace(self._path)
                _sync_folder(self._path.parent)
            finally:
                draft.unlink(missing_ok=True)

    def _drafted(self, ring: Ring) -> Path:
        """A file beside the real one, whole and on the disk."""
        draft = self._path.with_name(f".{FILE}.{os.getpid()}.{os.urandom(4).hex()}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{_HEADING}{ring.written()}\n")
            file.flush()
            os.fsync(file.fileno())
        return draft

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = "full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "read-only"
            raise StorageFailed(reason, str(self._path), os.strerror(error.errno or 0)) from None


def _place(draft: Path, path: Path) -> None:
    """Give the file its name, unless one stands there: `link` refuses where `rename` would overwrite."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    except OSError:  # a file system without links; whoever makes a ring holds the database's lock
        draft.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """The name of a file is on the disk only when its folder is."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def next_id(taken: Collection[str]) -> str:
    """An id that nothing was ever sealed under: one above the highest number."""
    numbers = [int(found[1]) for one in taken if (found := _NUMBERED.fullmatch(one))]
    return f"k{max(numbers, default=0) + 1}"


def fresh(rings: RingSource) -> Ring:
    """A ring of one new key, under an id that the ring does not have yet; it is written nowhere."""
    return EMPTY.with_new(next_id(rings.read().ids))
