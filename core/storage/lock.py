"""One program per data folder: a lock that the system gives back when its holder ends, however it ends."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import structlog

from core.errors import StorageFailed

log = structlog.get_logger(__name__)

LOCK = "orquestrador.lock"


@contextlib.contextmanager
def sole(folder: Path) -> Iterator[None]:
    """Hold the folder while inside. Raises StorageFailed: `in-use` with the other process's number, or `read-only`.

    The file itself stays: deleting it would let a third one lock a new file of the same name.
    """
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageFailed("read-only", str(folder), error.strerror or "") from error
    try:
        try:
            _lock(descriptor)
        except BlockingIOError:
            raise StorageFailed("in-use", str(folder), _holder(path)) from None
        except OSError as error:  # some network folders know no locks
            log.warning("data folder cannot be locked", error=error.strerror)
        with contextlib.suppress(OSError):  # a full disk: the number is only for people
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip() or "?"
    except (OSError, ValueError):
        return "?"


if sys.platform == "win32":
    import msvcrt

    _FAR = 2**30  # beyond what is written: a locked byte cannot be read by others there

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError from error
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
