"""Files people and bots have sent, by identifier and by path."""

import hashlib
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from tests.fakes.telegram.wire import Json


@dataclass(frozen=True, slots=True)
class Stored:
    id: str
    unique_id: str
    path: str
    data: bytes = field(repr=False)
    size: int

    def named(self) -> Json:
        return {"file_id": self.id, "file_unique_id": self.unique_id, "file_size": self.size}


class Files:
    def __init__(self) -> None:
        self._by_id: dict[str, Stored] = {}
        self._by_path: dict[str, Stored] = {}
        self._numbers: dict[str, int] = {}

    def add(self, data: bytes, folder: str, name: str, size: int | None = None) -> Stored:
        """Keep a file; `size` claims another size than it has, for files too large to make."""
        number = self._numbers.get(folder, 0)
        self._numbers[folder] = number + 1
        digest = hashlib.sha256(data).hexdigest()
        path = f"{folder}/file_{number}{PurePosixPath(name).suffix}"
        stored = Stored(
            id=f"BQACAgTEST-{folder}-{number}-{digest[:16]}",
            unique_id=f"AgAD{digest[:12]}",
            path=path,
            data=data,
            size=len(data) if size is None else size,
        )
        self._by_id[stored.id] = stored
        self._by_path[path] = stored
        return stored

    def by_id(self, file_id: str) -> Stored | None:
        return self._by_id.get(file_id)

    def by_path(self, path: str) -> Stored | None:
        return self._by_path.get(path)
