"""A model in words: its name, its state, what is known of it, why it cannot be used."""

import re
from collections.abc import Sequence

from bot.texts import Speech
from core.model import Failure, FailureKind, Model, ModelState
from core.providers import vendors

LONGEST_LABEL = 40
LONGEST_QUOTE = 160  # characters of a server's own words
ABSURD = 8  # times the size of its file that a model may need at most to be believed
_GUARDRAIL = re.compile(r"approximately (\d+(?:\.\d+)?) GB")
# Kinds whose own wording helps a person; the others are told in our words alone.
_WORTH_QUOTING = frozenset(
    {
        FailureKind.NEEDS_ROOM,
        FailureKind.CRASHED,
        FailureKind.NO_RUNTIME,
        FailureKind.HOST_SICK,
        FailureKind.BAD_TEMPLATE,
        FailureKind.UNKNOWN,
    }
)


def short_name(model: Model) -> str:
    """A model's name for a button: without its publisher, cut to fit."""
    name = model.key.rpartition("/")[2]
    return name if len(name) <= LONGEST_LABEL else name[: LONGEST_LABEL - 1] + "…"


def told_apart(models: Sequence[Model]) -> list[str]:
    """Short names; with the host where the same name stands on several."""
    names = [short_name(m) for m in models]
    return [
        f"{name} · {place(m)}" if names.count(name) > 1 and place(m) else name
        for name, m in zip(names, models, strict=True)
    ]


def place(model: Model) -> str:
    """Where it runs, as people call it: a host, or a vendor."""
    return model.host if model.local else vendors.title(model.provider)


def mark(model: Model, t: Speech) -> str:
    """The sign of a model's state."""
    return t(f"state.{model.state.value}")


def model_detail(model: Model, t: Speech, places: Sequence[Model] = ()) -> str:
    """Everything that is known of a model, in one line; `places` = every host that has it."""
    hosts = [f"{one.host} {mark(one, t)}" for one in places] if len(places) > 1 else [place(model)]
    words = [t(f"state.{model.state.value}_word"), model.params, model.quant]
    if model.size_bytes:
        words.append(t.size(model.size_bytes))
    if model.state is ModelState.LOADED and model.loaded_context:
        words.append(
            t("models.context_loaded", loaded=model.loaded_context, context=model.max_context or "?")
        )
    elif model.max_context:
        words.append(t("models.context", context=model.max_context))
    words += [
        t("models.vision") if model.vision else None,
        t("models.tools") if model.tools else None,
        t("models.demo") if model.demo else None,
        t("status.embedded") if model.provider == "embedded" else ", ".join(hosts),
        f"#{model.tag}",
    ]
    return " · ".join(word for word in words if word)


def reason(model: Model, failure: Failure, t: Speech, *, own: bool = False) -> str:
    """Why a model is inactive, in a sentence or two; `own` = a vendor was asked with the person's own key."""
    if not model.local:
        return _reason_of_api(model, failure, t, own=own)
    kind = failure.kind.value
    values: dict[str, object] = {"host": model.host or "LM Studio", "text": failure.text, "setting": ""}
    if failure.kind is FailureKind.FETCH_FAILED:
        key = f"fetch.{failure.text}"
        values["fetch"] = t(key) if t.has(key) else failure.text
    words = t(f"failure.{kind}", **values)
    if failure.kind is FailureKind.NEEDS_ROOM and (needed := _needed(model, failure.text)):
        return f"{words} {t('failure.needs-room_about', size=t.size(needed))}"
    if failure.text and failure.kind in _WORTH_QUOTING:
        server = t("status.embedded") if model.provider == "embedded" else "LM Studio"
        text = failure.text if len(failure.text) <= LONGEST_QUOTE else failure.text[:LONGEST_QUOTE] + "…"
        words += " " + t("failure.said", server=server, text=text)
    return words


def _reason_of_api(model: Model, failure: Failure, t: Speech, *, own: bool) -> str:
    vendor = vendors.entry(model.provider)
    key = f"failure.{failure.kind.value}"
    wait = failure.until - failure.at
    fitting = [("own", own), ("wait", wait > 0), ("api", True)]
    better = [f"{key}_{name}" for name, fits in fitting if fits and t.has(f"{key}_{name}")]
    values = {"host": vendor.title, "setting": vendor.setting, "time": t.seconds(wait), "text": failure.text}
    words = t(better[0] if better else key, **values)
    if failure.text and failure.kind is not FailureKind.UNREACHABLE:
        words += " " + t("failure.said", server=vendor.title, text=failure.text[:LONGEST_QUOTE])
    return words


def _needed(model: Model, text: str) -> int | None:
    """The bytes that LM Studio's guardrail speaks of; absurd figures (its bug tracker knows 273 GB) are none."""
    said = _GUARDRAIL.search(text)
    needed = round(float(said[1]) * 1_000_000_000) if said else 0
    believable = 0 < needed <= ABSURD * (model.size_bytes or needed)
    return needed if believable else None
