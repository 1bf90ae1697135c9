"""Results of /bench as a card: this model now and before, and beside the others."""

from collections.abc import Mapping, Sequence

from bot.cards import Listing, Row
from bot.present.figures import model_name
from bot.texts import Speech
from core.model import Model
from core.summary import Bench

COMPARED = 10


def benches(
    model: Model,
    results: Sequence[Bench],
    earlier: Mapping[str, Sequence[Bench]],
    newest: Sequence[Bench],
    *,
    names: Mapping[str, Model],
    t: Speech,
) -> Listing:
    """`results` = just measured, one for each host; `earlier` by model id; `newest` = of every model, fastest first."""
    now = {one.model_id for one in results}
    rows = [_now(one, earlier.get(one.model_id, ()), names, t) for one in results]
    rows += [
        Row(f"{place}.", model_name(one.model_id, names), _figures(one, t), current=one.model_id in now)
        for place, one in enumerate(newest[:COMPARED], start=1)
        if len(newest) > len(results)
    ]
    return Listing(t("bench.title", model=model.name), tuple(rows), t("bench.body"))


def _now(one: Bench, earlier: Sequence[Bench], names: Mapping[str, Model], t: Speech) -> Row:
    before = t("bench.before", figures=" | ".join(_short(old, t) for old in earlier)) if earlier else ""
    return Row("🏁", model_name(one.model_id, names), _figures(one, t), before)


def _figures(one: Bench, t: Speech) -> str:
    return " · ".join(filter(None, (t("stats.first", time=t.seconds(one.first)), _speed(one, t))))


def _short(one: Bench, t: Speech) -> str:
    return _speed(one, t) or t.seconds(one.first)


def _speed(one: Bench, t: Speech) -> str:
    return "" if one.speed is None else t("stats.speed", n=t.number(one.speed))
