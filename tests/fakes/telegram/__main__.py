"""`python -m tests.fakes.telegram --port 0`: prints its URL, then obeys orders from stdin, see `control`."""

import argparse
import asyncio
import json
import sys
import threading

from tests.fakes.telegram.control import Control
from tests.fakes.telegram.server import TOKEN, FakeTelegram, Switches
from tests.fakes.telegram.wire import Json


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _read_into(orders: "asyncio.Queue[str]", loop: asyncio.AbstractEventLoop) -> None:
    for line in sys.stdin:
        loop.call_soon_threadsafe(orders.put_nowait, line)


def _parsed(line: str) -> Json:
    try:
        order = json.loads(line)
    except ValueError:
        order = None
    return order if isinstance(order, dict) else {"do": line.strip()}


async def _serve(port: int, token: str) -> None:
    async with FakeTelegram(switches=Switches(token=token), port=port, strict=False) as server:
        _print(server.url)
        orders: asyncio.Queue[str] = asyncio.Queue()
        reading = (orders, asyncio.get_running_loop())
        threading.Thread(target=_read_into, args=reading, daemon=True).start()
        control = Control(server)
        while True:
            _print(json.dumps(await control.obey(_parsed(await orders.get()))))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.telegram")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default=TOKEN)
    options = parser.parse_args()
    try:
        asyncio.run(_serve(options.port, options.token))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
