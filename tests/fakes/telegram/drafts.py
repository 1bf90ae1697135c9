"""Drafts: texts that grow in a private chat while an answer is made, and are gone unless it is sent."""

import time
from dataclasses import dataclass, field

from tests.fakes.telegram.texts import Formatted


@dataclass(frozen=True, slots=True)
class Draft:
    """One frame of a draft. A person sees "Thinking…" where the text is empty."""

    id: int
    content: Formatted
    thread: int | None = None
    can_stop: bool = False
    keep_on_stop: bool = False
    at: float = field(default_factory=time.monotonic)

    @property
    def text(self) -> str:
        return self.content.text


@dataclass
class Drafts:
    """All frames ever shown in a chat, oldest first."""

    seconds: float
    frames: list[Draft] = field(default_factory=list)
    ended: dict[int, float] = field(default_factory=dict)  # by a message, or by the person

    def show(self, draft: Draft) -> None:
        self.frames.append(draft)
        self.ended.pop(draft.id, None)

    def end(self, thread: int | None) -> None:
        """A real message takes the place of what is shown there."""
        now = time.monotonic()
        for frame in self.frames:
            if frame.thread == thread:
                self.ended.setdefault(frame.id, now)

    def stop(self, draft: Draft) -> None:
        if not draft.keep_on_stop:
            self.ended[draft.id] = time.monotonic()

    def showing(self, thread: int | None = None) -> Draft | None:
        """What the person sees now."""
        since = time.monotonic() - self.seconds
        for frame in reversed(self.frames):
            if frame.thread == thread:
                return frame if frame.id not in self.ended and frame.at > since else None
        return None

    def unfinished(self) -> list[int]:
        """Drafts that no message has followed."""
        return list(dict.fromkeys(frame.id for frame in self.frames if frame.id not in self.ended))
