"""The little that the platform itself must remember over restarts, in a file of its own beside the database."""

import json
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger(__name__)

COMMANDS = "commands"  # what Discord was last told of the commands, as a hash
DEAF = "deaf"  # people were told that messages cannot be read


class Memory:
    """A few values by name. A file that cannot be read or written costs a repetition, nothing else."""

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / "discord_memory.json"
        self._values: dict[str, Any] = {}
        if self._path is not None and self._path.exists():
            try:
                values = json.loads(self._path.read_text("utf-8"))
                self._values = values if isinstance(values, dict) else {}
            except (OSError, ValueError) as broken:
                log.warning("memory not read", file=self._path.name, why=type(broken).__name__)

    def get(self, name: str) -> Any:
        """What was remembered; `None` if nothing was."""
        return self._values.get(name)

    def put(self, name: str, value: Any) -> None:
        """Remember it; the file is whole at any moment."""
        if self._values.get(name) == value:
            return
        self._values[name] = value
        if self._path is None:
            return
        new = self._path.with_suffix(".new")
        try:
            new.write_text(json.dumps(self._values), "utf-8")
            new.replace(self._path)
        except OSError as refused:
            log.warning("memory not written", file=self._path.name, why=type(refused).__name__)
