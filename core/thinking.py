"""Keep reasoning out of the answer when it comes as tags inside it.

Models write `<think>…</think>` (or `[THINK]…[/THINK]`) at the start of the answer; some chat templates
open the tag themselves, so that only a lone closing tag is seen. A tag anywhere later is text: people
talk about tags.
"""

from collections.abc import Iterator

from core.conversation import Delta, Rethought, Thinking

PAIRS = (("<think>", "</think>"), ("<thinking>", "</thinking>"), ("[THINK]", "[/THINK]"))
_OPENERS = tuple(opener for opener, _ in PAIRS)
# Only these close without having been opened: the template of such models ends in `<think>`.
_LONE_CLOSER = "</think>"
LONE_WITHIN = 60_000  # characters of answer after which a lone closing tag is no longer looked for


class ThinkingFilter:
    """Feed it the answer's text as it comes; it sorts it into Thinking and Delta."""

    def __init__(self) -> None:
        self._held = ""
        self._closer: str | None = None
        self._started = False  # whether the beginning has been decided
        self._answered = 0
        self._fenced = False
        self._lone_seen = False
        self._blank = False  # the empty lines between reasoning and answer may still come

    def feed(self, text: str) -> Iterator[Thinking | Delta | Rethought]:
        """Take a piece; give what is certain, hold back what may be the start of a tag."""
        self._held += text
        if not self._started:
            yield from self._begin()
        if self._closer is not None:
            yield from self._inside(self._closer)
        if self._started and self._closer is None:
            yield from self._outside(last=False)

    def end(self) -> Iterator[Thinking | Delta | Rethought]:
        """Give what was held back."""
        if self._closer is not None:
            if self._held:
                yield Thinking(self._held)
        elif self._started:
            yield from self._outside(last=True)
        elif self._held:
            yield Delta(self._held)
        self._held = ""

    def _begin(self) -> Iterator[Thinking | Delta | Rethought]:
        stripped = self._held.lstrip()
        for opener, closer in PAIRS:
            if stripped.startswith(opener):
                self._started, self._closer = True, closer
                self._held = stripped[len(opener) :]
                return
        if stripped and not any(opener.startswith(stripped) for opener in _OPENERS):
            self._started = True
        yield from ()

    def _inside(self, closer: str) -> Iterator[Thinking | Delta | Rethought]:
        thought, found, rest = self._held.partition(closer)
        if found:
            if thought:
                yield Thinking(thought)
            self._closer, self._held, self._blank = None, rest, True
            self._lone_seen = True  # one reasoning part per answer
            return
        keep = _partial(self._held, closer)
        if certain := self._held[: len(self._held) - keep]:
            yield Thinking(certain)
        self._held = self._held[len(self._held) - keep :]

    def _outside(self, *, last: bool) -> Iterator[Thinking | Delta | Rethought]:
        if not self._lone_seen and (at := self._lone_closer()) >= 0:
            self._lone_seen = self._blank = True
            yield Rethought()
            if thought := self._held[:at]:
                yield Thinking(thought)
            self._held = self._held[at + len(_LONE_CLOSER) :]
        if self._blank:
            self._held = self._held.lstrip("\n")
            self._blank = not self._held
        keep = 0 if last or self._lone_seen else _partial(self._held, _LONE_CLOSER)
        if certain := self._held[: len(self._held) - keep]:
            self._answered += len(certain)
            self._fenced ^= certain.count("`") % 2 == 1
            yield Delta(certain)
        self._held = self._held[len(self._held) - keep :]

    def _lone_closer(self) -> int:
        """Where the first closing tag stands that is meant as one; -1 if there is none, or too late."""
        at = self._held.find(_LONE_CLOSER)
        while at >= 0 and self._quoted(self._held[:at]):
            at = self._held.find(_LONE_CLOSER, at + 1)
        return at if self._answered + at < LONE_WITHIN else -1

    def _quoted(self, before: str) -> bool:
        """Whether the tag stands in backticks: then it is text about tags."""
        return self._fenced ^ (before.count("`") % 2 == 1)


def _partial(text: str, tag: str) -> int:
    """How many characters at the end of `text` may be the beginning of `tag`."""
    for length in range(min(len(tag) - 1, len(text)), 0, -1):
        if tag.startswith(text[-length:]):
            return length
    return 0
