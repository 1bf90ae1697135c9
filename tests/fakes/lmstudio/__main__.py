"""`python -m tests.fakes.lmstudio --port 0 --script FILE.json`: prints its URL, then its log as JSON lines."""

import argparse
import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.fakes.lmstudio.catalog import Json
from tests.fakes.lmstudio.journal import Record
from tests.fakes.lmstudio.script import build


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _tell(record: Record) -> None:
    _print(json.dumps(asdict(record)))


async def _serve(port: int, described: Json) -> None:
    async with build(described, port) as server:
        _print(server.url)
        server.journal.listeners.append(_tell)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.lmstudio")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path)
    options = parser.parse_args()
    script: Path | None = options.script
    described = json.loads(script.read_text(encoding="utf-8")) if script is not None else {}
    try:
        asyncio.run(_serve(options.port, described))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
