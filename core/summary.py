"""Measurements added up for people: how often, how fast, what failed. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import ceil
from statistics import fmean

DONE, STOPPED, BROKEN = "done", "stopped", "broken"
LOADED = "ok"


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """One measured answer; times in seconds, `at` since the epoch. `person` and `chat` are ids, empty if unknown."""

    at: float
    model_id: str
    person: str
    chat: str
    tokens_in: int | None
    tokens_out: int | None
    first: float | None
    seconds: float
    outcome: str


@dataclass(frozen=True, slots=True)
class LoadFact:
    """One measured load: when, of which model, how long, and how it ended."""

    at: float
    model_id: str
    seconds: float
    outcome: str


@dataclass(frozen=True, slots=True)
class Bench:
    """A result of /bench: seconds to the first word, tokens per second after it (`None`: not told), tokens written."""

    at: float
    model_id: str
    first: float
    speed: float | None
    tokens: int | None


@dataclass(frozen=True, slots=True)
class Uses:
    """A model's answers. `first` = mean seconds to the first word, `speed` = tokens per second; `None` if unknown."""

    model_id: str
    answers: int
    tokens: int
    first: float | None
    speed: float | None


@dataclass(frozen=True, slots=True)
class Loads:
    """Loads that went well (`n`, with their mean and 90th percentile in seconds) and the others by reason."""

    n: int = 0
    mean: float | None = None
    p90: float | None = None
    failed: Counter[str] = field(default_factory=Counter)

    @property
    def failure_rate(self) -> float | None:
        """Failed loads among all, 0..1; `None` if there were none."""
        failed = self.failed.total()
        return failed / (self.n + failed) if self.n + failed else None


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything of a time, for a chat, a model or the whole bot."""

    outcomes: Counter[str]
    tokens_in: int
    tokens_out: int
    models: tuple[Uses, ...]  # most used first
    people: tuple[tuple[str, int], ...]  # tokens, most first
    days: dict[date, Counter[str]]  # answers by model id
    loads: Loads
    loads_by_model: tuple[tuple[str, Loads], ...] = ()  # most loaded first
    offered: int = 0
    taken: int = 0

    @property
    def answers(self) -> int:
        """However they ended."""
        return self.outcomes.total()


def summary(
    answers: Sequence[AnswerRecord],
    loads: Sequence[LoadFact],
    suggestions: Iterable[bool] = (),
    *,
    day_of: Callable[[float], date],
) -> Summary:
    """Add it up. `suggestions` = for each one whether it was taken; `day_of` = the local day of a moment."""
    by_model: defaultdict[str, list[AnswerRecord]] = defaultdict(list)
    people: Counter[str] = Counter()
    days: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for one in answers:
        by_model[one.model_id].append(one)
        people[one.person] += _tokens(one)
        days[day_of(one.at)][one.model_id] += 1
    taken = list(suggestions)
    return Summary(
        outcomes=Counter(one.outcome for one in answers),
        tokens_in=sum(one.tokens_in or 0 for one in answers),
        tokens_out=sum(one.tokens_out or 0 for one in answers),
        models=tuple(
            sorted(
                (uses(model, records) for model, records in by_model.items()),
                key=lambda u: (-u.answers, u.model_id),
            )
        ),
        people=tuple(sorted(((p, n) for p, n in people.items() if p), key=lambda one: (-one[1], one[0]))),
        days=dict(days),
        loads=loads_of(loads),
        loads_by_model=_by_model(loads),
        offered=len(taken),
        taken=sum(taken),
    )


def uses(model_id: str, records: Sequence[AnswerRecord]) -> Uses:
    """One model's answers. What was stopped or broke says nothing of its speed."""
    firsts = [one.first for one in records if one.first is not None]
    timed = [
        (one.tokens_out, one.seconds - (one.first or 0.0))
        for one in records
        if one.outcome == DONE and one.tokens_out
    ]
    written, writing = sum(tokens for tokens, _ in timed), sum(seconds for _, seconds in timed)
    return Uses(
        model_id,
        len(records),
        sum(_tokens(one) for one in records),
        fmean(firsts) if firsts else None,
        written / writing if writing > 0 else None,
    )


def loads_of(facts: Iterable[LoadFact]) -> Loads:
    """Loads by how they ended."""
    failed: Counter[str] = Counter()
    seconds: list[float] = []
    for fact in facts:
        if fact.outcome == LOADED:
            seconds.append(fact.seconds)
        else:
            failed[fact.outcome] += 1
    mean = fmean(seconds) if seconds else None
    return Loads(len(seconds), mean, percentile(seconds, 0.9), failed)


def _by_model(facts: Iterable[LoadFact]) -> tuple[tuple[str, Loads], ...]:
    found: defaultdict[str, list[LoadFact]] = defaultdict(list)
    for fact in facts:
        found[fact.model_id].append(fact)
    loads = [(model_id, loads_of(some)) for model_id, some in found.items()]
    return tuple(sorted(loads, key=lambda one: (-one[1].n, one[0])))


def percentile(values: Sequence[float], part: float) -> float | None:
    """The smallest value that so many of them (0..1) do not exceed (nearest rank); `None` of none."""
    if not values:
        return None
    return sorted(values)[max(0, ceil(part * len(values)) - 1)]


def _tokens(one: AnswerRecord) -> int:
    return (one.tokens_in or 0) + (one.tokens_out or 0)
