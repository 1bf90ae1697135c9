"""Fit a conversation to the context that is really loaded. Pure but for what it learns of each model's tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from core.conversation import Done, Role, Turn, Usage
from core.model import Model

UNKNOWN_CONTEXT = 4096  # tokens; the smallest that LM Studio loads by itself
UNKNOWN_API_CONTEXT = 100_000  # tokens; too many are refused before they cost, and the prompt is cut then
ANSWER_ROOM = 1024  # tokens kept free for the answer, at most a quarter of the context
CHARS_PER_TOKEN = 3.0  # on the safe side for Portuguese and code; corrected by what servers count
PICTURE_TOKENS = 1100  # on the safe side of what vision models of this size take for one
TURN_TOKENS = 8  # what a chat template adds to each turn


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent: turns that fit, and how many earlier ones do not."""

    turns: tuple[Turn, ...]
    left_out: int


class Fitting:
    """Chooses what is sent. Remembers how many characters a token of each model has, as its server counts."""

    def __init__(self) -> None:
        self._density: dict[str, float] = {}  # model id -> characters per token, as measured

    def budget(self, model: Model) -> int:
        """Tokens for the prompt in the context that is loaded."""
        unknown = UNKNOWN_CONTEXT if model.local else UNKNOWN_API_CONTEXT
        context = model.loaded_context or model.max_context or unknown
        return context - min(ANSWER_ROOM, context // 4)

    def fit(self, system: str, history: Sequence[Turn], question: Turn, model: Model, budget: int) -> Prompt:
        """The newest whole pairs that fit with the system prompt and the question."""
        fixed = [Turn(Role.SYSTEM, system)] if system else []
        room = budget - self.tokens([*fixed, question], model)
        kept = len(history)
        for start in range(len(history) - 2, -1, -2):
            room -= self.tokens(history[start : start + 2], model)
            if room < 0:
                break
            kept = start
        return Prompt((*fixed, *history[kept:], question), kept)

    def tokens(self, turns: Sequence[Turn], model: Model) -> int:
        """How many tokens the turns take, as far as can be told; corrected by what servers count."""
        density = self._density.get(model.id, CHARS_PER_TOKEN)
        # Rounded up turn by turn, so that parts never add up to more than the whole.
        text = sum(ceil(len(turn.text) / density) for turn in turns)
        return text + PICTURE_TOKENS * sum(len(turn.pictures) for turn in turns) + TURN_TOKENS * len(turns)

    def used(self, prompt: Prompt, answer: Turn, model: Model, done: Done | None) -> int:
        """The tokens of a question with its answer: as the server counted, estimated where it did not."""
        usage = done.usage if done else Usage()
        density = self._density.get(model.id, CHARS_PER_TOKEN)
        asked = self.tokens(prompt.turns, model) if usage.tokens_in is None else usage.tokens_in
        said = ceil((len(answer.text) + len(answer.thinking)) / density)
        return asked + (said if usage.tokens_out is None else usage.tokens_out)

    def learn(self, prompt: Prompt, model: Model, done: Done) -> None:
        """Correct the estimate by what the server counted, if the prompt is long enough to tell."""
        counted = done.usage.tokens_in
        chars = sum(len(turn.text) for turn in prompt.turns)
        if counted and chars > 400 and not any(turn.pictures for turn in prompt.turns):  # noqa: PLR2004  # below it the template's own tokens blur the figure
            overhead = TURN_TOKENS * len(prompt.turns)
            self._density[model.id] = min(CHARS_PER_TOKEN * 1.5, chars / max(1, counted - overhead))
