"""The program of the child process: loads ONE model with llama.cpp and serves it over HTTP.

The only file that imports xllamacpp. It reads one line of JSON from standard input (`Order` in
`runtime.py`), reports lines of JSON on standard output, and ends when its standard input closes:
so a bot that is killed leaves no orphan behind.
"""

import hashlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

_BLOCK = 4 * 2**20  # bytes
_READ_SHARE = 0.9  # of the bar: reading is most of the work, building the context the rest
_REPORT_EVERY = 0.05  # seconds
_BATCH = 256  # tokens: a prompt can be called off, and told of, only between two batches
_NOWHERE = "http://closed.invalid"  # by default llama.cpp lets every web page's origin in


class _Failed(Exception):
    """The load cannot go on; `kind` as `runtime.py` reads it."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def main() -> None:
    """Load, report, serve until the parent lets go."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl+C in the terminal is for the bot: it may only stop an answer
    report = _Report()
    order: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    closed = threading.Event()
    threading.Thread(target=_watch_parent, args=(closed,), daemon=True).start()
    try:
        xllamacpp = _import()  # before the weights are read: its absence should be told at once
        _read(order, report)
        server = _serve(xllamacpp, order)
    except _Failed as failed:
        report.send({"type": "error", "kind": failed.kind, "text": str(failed)})
        sys.exit(1)
    report.send({"type": "ready", "url": server.listening_address})
    closed.wait()
    os._exit(0)  # tidy destruction would wait for running answers; the memory goes either way


class _Report:
    """Lines for the parent, on a descriptor of their own: native code may print what it likes."""

    def __init__(self) -> None:
        sys.stdout.flush()
        self._out: IO[str] = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._next = 0.0

    def send(self, message: dict[str, Any]) -> None:
        """One line; a parent that is gone is noticed elsewhere."""
        self._out.write(json.dumps(message) + "\n")
        self._out.flush()

    def progress(self, fraction: float) -> None:
        """A fraction 0..1, not more often than a person can see."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _REPORT_EVERY
            self.send({"type": "progress", "value": round(fraction, 4)})


def _watch_parent(closed: threading.Event) -> None:
    while sys.stdin.buffer.read(1):
        pass
    closed.set()
    os._exit(0)  # also in the middle of a load


def _import() -> Any:
    try:
        import xllamacpp  # noqa: PLC0415  # only here, so that a failure can be told
    except ImportError as error:
        raise _Failed("import", str(error)) from error
    return xllamacpp


def _read(order: dict[str, Any], report: _Report) -> None:
    """Read every byte once: real progress, a warm page cache, and the hash where it is known."""
    paths = [Path(p) for p in order["paths"]]
    expected = order.get("sha256")
    digest = hashlib.sha256()
    try:
        total = sum(p.stat().st_size for p in paths)
        done = 0
        for path in paths:
            with path.open("rb", buffering=0) as file:
                while block := file.read(_BLOCK):
                    if expected:
                        digest.update(block)
                    done += len(block)
                    report.progress(_READ_SHARE * done / total)
    except OSError as error:
        raise _Failed("file", error.strerror or "the file cannot be read") from error
    if expected and digest.hexdigest() != expected:
        raise _Failed("hash", "the file is not what it should be (wrong SHA-256)")
    report.send({"type": "progress", "value": _READ_SHARE})


def _serve(xllamacpp: Any, order: dict[str, Any]) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = order["paths"][0]
    # a context of its own for each chat: shared, one long chat would break another one off
    params.n_ctx = order["context"] * order["parallel"]
    params.n_parallel = order["parallel"]
    params.kv_unified = False
    params.cpuparams.n_threads = order["threads"]
    params.cpuparams_batch.n_threads = order["batch_threads"]
    params.api_keys = [order["key"]]
    params.cors_origins = _NOWHERE
    params.cors_credentials = False
    params.ui = False
    params.fit_params = False  # the context is the one that was asked for, or an error
    params.n_batch = _BATCH
    params.n_ubatch = _BATCH
    params.cache_ram_mib = 0  # by default llama.cpp keeps up to 8 GiB of old prompts
    params.cache_idle_slots = False
    params.verbosity = 1  # errors only: nothing that a person wrote
    try:
        return xllamacpp.Server(params)
    except (RuntimeError, MemoryError) as error:
        raise _Failed("init", str(error)) from error


if __name__ == "__main__":
    main()
