"""What happened on a fake LM Studio, in order, and how a test waits for it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    kind: str
    at: float
    method: str = ""
    path: str = ""
    model: str = ""
    instance: str = ""
    detail: str = ""


class Journal:
    """An append-only list of records; a waiter is woken by the record it waits for."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.listeners: list[Callable[[Record], None]] = []

    def add(
        self,
        kind: str,
        *,
        method: str = "",
        path: str = "",
        model: str = "",
        instance: str = "",
        detail: str = "",
    ) -> None:
        record = Record(kind, time.monotonic(), method, path, model, instance, detail)
        self.records.append(record)
        for listener in list(self.listeners):
            listener(record)

    def matching(self, kind: str, **fields: str) -> list[Record]:
        return [
            record
            for record in self.records
            if record.kind == kind and all(getattr(record, name) == value for name, value in fields.items())
        ]

    async def wait_for(self, kind: str, n: int, limit: float, **fields: str) -> list[Record]:
        """Return once `n` records of the kind were ever written; `TimeoutError` after `limit` seconds."""
        enough = asyncio.Event()

        def look(_record: Record | None) -> None:
            if len(self.matching(kind, **fields)) >= n:
                enough.set()

        look(None)
        self.listeners.append(look)
        try:
            async with asyncio.timeout(limit):
                await enough.wait()
        except TimeoutError:
            seen = ", ".join(record.kind for record in self.records[-20:])
            raise TimeoutError(f"waited {limit} s for {n} x {kind} {fields}; last seen: {seen}") from None
        finally:
            self.listeners.remove(look)
        return self.matching(kind, **fields)
