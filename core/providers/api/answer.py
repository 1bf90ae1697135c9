"""A vendor's answer as it comes: pieces in, events of the reply out, and what is wrong with it."""

from collections.abc import Iterator

from core.conversation import Delta, Done, ReplyEvent, Thinking, Usage
from core.errors import EmptyAnswer, Interrupted, KeyRejected, Problem, Refused
from core.model import Model
from core.providers.pieces import Finish, Piece, Served
from core.providers.vendors import Vendor
from core.thinking import ThinkingFilter


class Reply:
    """What has come so far, and whether it is whole. `own` = asked with the person's own key."""

    def __init__(self, vendor: Vendor, model: Model, *, own: bool) -> None:
        self._vendor = vendor
        self._model = model
        self._own = own
        # Reasoning within the answer comes from open models behind compatible servers alone.
        self._filter = ThinkingFilter() if vendor.wire == "openai" else None
        self._held = ""  # may be the beginning of a refusal in disguise
        self._open = bool(vendor.disguised)
        self._usage = Usage()
        self._reason = ""
        self.spoke = False
        self.over = False

    def take(self, piece: Piece) -> Iterator[ReplyEvent]:
        """A piece of it. Raises KeyRejected for a refusal that looks like an answer."""
        match piece:
            case Delta(text):
                yield from self._hold(text) if self._open else self._say(text)
            case Thinking():
                self.spoke = True
                yield piece
            case Usage(tokens_in, tokens_out):
                known = self._usage
                self._usage = Usage(
                    known.tokens_in if tokens_in is None else tokens_in,
                    known.tokens_out if tokens_out is None else tokens_out,
                )
            case Finish(reason):
                self._reason = reason
            case Served():
                return  # vendors resolve aliases: another name is no other model

    def _say(self, text: str) -> Iterator[ReplyEvent]:
        self.spoke = True
        if self._filter is None:
            yield Delta(text)
        else:
            yield from self._filter.feed(text)

    def _hold(self, text: str) -> Iterator[ReplyEvent]:
        """Nothing is said while it may still become one of the vendor's sentences that are no answers."""
        self._held += text
        for sentence in self._vendor.disguised:
            if self._held.lstrip().startswith(sentence):
                raise KeyRejected(self._vendor.name, self._own, sentence)
            if sentence.startswith(self._held.lstrip()):
                return
        yield from self._release()

    def _release(self) -> Iterator[ReplyEvent]:
        self._open = False
        held, self._held = self._held, ""
        if held:
            yield from self._say(held)

    def end(self) -> Iterator[ReplyEvent]:
        """The stream is over. Raises Refused, EmptyAnswer or Interrupted where that was no answer."""
        yield from self._release()
        if self._filter is not None:
            yield from self._filter.end()
        if not self.spoke:
            raise Refused(self._model) if self._reason == "refused" else EmptyAnswer(self._model)
        if not self._reason and not self.over:
            raise Interrupted(self._model)
        yield Done(self._reason or "stop", self._usage)

    def cut(self, text: str) -> Problem:
        """It broke off in the middle: what had come is kept."""
        return Interrupted(self._model, text)
