"""One message of Discord's: words with buttons, or components. The one becomes the other, but never back."""

import io
import json
from dataclasses import dataclass
from typing import Any

import discord
from discord.ui import LayoutView, View


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What a message says. `view` with `content` = classic buttons below words; without = components alone."""

    content: str | None = None
    view: View | LayoutView | None = None
    files: tuple[tuple[str, bytes], ...] = ()

    @property
    def components(self) -> bool:
        """It is made of components, and cannot become words again."""
        return isinstance(self.view, LayoutView)

    def same(self, other: "Part | None") -> bool:
        """Whether it looks the same."""
        return other is not None and self.look() == other.look()

    def look(self) -> tuple[str | None, str, tuple[tuple[str, bytes], ...]]:
        """All that can be seen of it."""
        drawn = [] if self.view is None else self.view.to_components()
        return self.content, json.dumps(drawn, sort_keys=True), self.files

    def fresh(self) -> dict[str, Any]:
        """As the arguments of a new message."""
        made: dict[str, Any] = {"content": self.content} if self.content is not None else {}
        if self.view is not None:
            made["view"] = self.view
        if self.files:
            made["files"] = self._files()
        return made

    def over(self) -> dict[str, Any]:
        """As the arguments of an edit of whatever stands there."""
        return {"content": self.content, "view": self.view, "attachments": self._files()}

    def _files(self) -> list[discord.File]:
        return [discord.File(io.BytesIO(data), name) for name, data in self.files]
