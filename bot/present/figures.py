"""Measurements in words: a few lines that fit under a picture."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.cards import Notice, Tone, bar
from bot.charts import Drawing, Words
from bot.present.models import LONGEST_LABEL
from bot.texts import Speech
from core.model import Model
from core.summary import BROKEN, DONE, STOPPED, Loads, Summary, Uses

MODELS, PEOPLE, REASONS = 5, 5, 4  # named at most; a caption bears a thousand characters
CELLS = 10


def figures(
    title: str,
    found: Summary,
    names: Mapping[str, Model],
    t: Speech,
    days: int,
    *,
    people: Mapping[str, str] | None = None,
    ever: int | None = None,
    bars: bool = True,
) -> Notice:
    """`names` = models by id; `people` = labels by id, where everybody's figures are shown; `bars` draws in text."""
    lines = [t("stats.days", days=days), *_answers(found, t)]
    most = max((used.answers for used in found.models), default=1)
    for used in found.models[:MODELS]:
        drawn = f"{bar(used.answers / most, CELLS)} " if bars else ""
        lines.append(f"• {drawn}{_uses(used, names, t)}")
    if len(found.models) > MODELS:
        lines.append(t("stats.others", n=len(found.models) - MODELS))
    lines += _loads(found.loads, t)
    if found.offered:
        lines.append(t("stats.suggestions", offered=found.offered, taken=found.taken))
    if people is not None and found.people:
        named = [f"{people.get(who) or who} {t.count(tokens)}" for who, tokens in found.people[:PEOPLE]]
        lines.append(t("stats.people", people=", ".join(named)))
    if ever is not None:
        lines.append(t("stats.ever", n=t.count(ever)))
    return Notice(Tone.INFO, title, "\n".join(lines))


def drawing(
    title: str, found: Summary, names: Mapping[str, Model], t: Speech, *, now: float, days: int
) -> Drawing:
    """The same figures for a picture; `now` in seconds since the epoch."""
    words = Words(
        title=f"{title.lstrip('📊 ')} · {t('stats.days', days=days).lower()}",
        use=t("stats.chart_use"),
        loads=t("stats.chart_loads"),
        failures=t("stats.chart_failures"),
        others=t("stats.chart_others"),
        p90=t("stats.chart_p90"),
    )
    by_day = {day: _named(counted.items(), names) for day, counted in found.days.items()}
    loads = [
        (model_name(model_id, names), one.mean, one.p90)
        for model_id, one in found.loads_by_model
        if one.mean is not None and one.p90 is not None
    ]
    failures = {t(f"stats.reason_{kind}"): times for kind, times in found.loads.failed.items()}
    return Drawing(words, by_day, datetime.fromtimestamp(now).date(), days, loads, failures)  # noqa: DTZ006  # the machine's own day


def _named(counted: Iterable[tuple[str, int]], names: Mapping[str, Model]) -> dict[str, int]:
    """Two ids may have one name: what counts is what people read."""
    found: Counter[str] = Counter()
    for model_id, times in counted:
        found[model_name(model_id, names)] += times
    return dict(found)


def model_name(model_id: str, names: Mapping[str, Model]) -> str:
    """A model by its id, also one that is gone; with its host where there is one."""
    model = names.get(model_id)
    _, host, key = model_id.split("|", 2)
    name = (model.key if model else key).rpartition("/")[2]
    name = name if len(name) <= LONGEST_LABEL else name[: LONGEST_LABEL - 1] + "…"
    same = [one for one in names.values() if model is not None and one.pool == model.pool]
    return f"{name} ({host})" if host and len(same) > 1 else name


def _answers(found: Summary, t: Speech) -> list[str]:
    if not found.answers:
        return [t("stats.none")]
    return [
        t(
            "stats.answers",
            n=t.count(found.answers),
            done=t.count(found.outcomes[DONE]),
            stopped=found.outcomes[STOPPED],
            broken=found.outcomes[BROKEN],
        ),
        t("stats.tokens", read=t.count(found.tokens_in), written=t.count(found.tokens_out)),
    ]


def _uses(used: Uses, names: Mapping[str, Model], t: Speech) -> str:
    words = [t("stats.uses", model=model_name(used.model_id, names), n=t.count(used.answers))]
    if used.first is not None:
        words.append(t("stats.first", time=t.seconds(used.first)))
    if used.speed is not None:
        words.append(t("stats.speed", n=t.number(used.speed)))
    return " · ".join(words)


def _loads(loads: Loads, t: Speech) -> list[str]:
    lines = []
    if loads.mean is not None and loads.p90 is not None:
        lines.append(t("stats.loads", n=loads.n, mean=t.seconds(loads.mean), p90=t.seconds(loads.p90)))
    rate = loads.failure_rate
    if loads.failed and rate is not None:
        reasons = [f"{t(f'stats.reason_{kind}')} {n}" for kind, n in loads.failed.most_common(REASONS)]
        lines.append(
            t(
                "stats.failed",
                n=loads.failed.total(),
                total=loads.n + loads.failed.total(),
                rate=t.number(100 * rate, 0),
                reasons=", ".join(reasons),
            )
        )
    return lines
