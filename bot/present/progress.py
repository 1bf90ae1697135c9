"""A load, a queue and a prompt as cards."""

from typing import assert_never

from bot.cards import Button, Notice, Progress, Tone
from bot.texts import Speech
from core.conversation import Waiting
from core.model import (
    Checking,
    Fetching,
    LoadEvent,
    Loading,
    LoadPath,
    MakingRoom,
    Model,
    Queued,
    Ready,
)


def loading(event: LoadEvent, t: Speech) -> Progress | None:
    """A load as a card; `None` where nothing is worth showing."""
    buttons = (Button(t("button.cancel"), "stop"), Button(t("button.other"), "suggest"))
    match event:
        case Checking() | Ready():
            return None
        case Queued(model, position):
            title = t("progress.queued", model=model.name, position=position)
            return Progress(title, None, buttons=buttons)
        case MakingRoom(model, evicted):
            return Progress(t("progress.making_room", model=model.name, evicted=", ".join(evicted)), None)
        case Fetching(model, done, total, licence, elapsed):
            size = t.size(total) if total else "?"
            title = t("progress.fetching", model=model.name, total=size, licence=licence)
            detail = t("progress.fetching_detail", done=t.size(done), total=size, elapsed=t.seconds(elapsed))
            return Progress(title, done / total if total else None, detail, buttons[:1])
        case Loading(model, fraction, elapsed, expected, watchers):
            title = t("progress.loading", model=model.name)
            return Progress(title, fraction, _pace(t, elapsed, expected, watchers), buttons)
        case _:
            assert_never(event)


def _pace(t: Speech, elapsed: float, expected: float | None, watchers: int) -> str:
    if expected is None:
        words = [t("progress.elapsed", elapsed=t.seconds(elapsed))]
    else:
        words = [t("progress.elapsed_expected", elapsed=t.seconds(elapsed), expected=t.seconds(expected))]
    if watchers > 1:
        words.append(t("progress.watchers", n=watchers))
    return " · ".join(words)


def reading(model: Model, seconds: float | None, t: Speech) -> Progress:
    """The model works on the prompt; `seconds` so far once they are worth telling."""
    detail = t("progress.elapsed", elapsed=t.seconds(seconds)) if seconds else ""
    title = t("progress.reading", model=model.name)
    return Progress(title, None, detail, (Button(t("button.stop"), "stop"),))


def waiting(model: Model, event: Waiting, t: Speech) -> Progress:
    """One's place in the queue of the model."""
    if event.expected is None:
        title = t("progress.waiting", position=event.position)
    else:
        title = t("progress.waiting_expected", position=event.position, expected=t.seconds(event.expected))
    detail = t("progress.waiting_detail", model=model.name)
    return Progress(
        title, None, detail, (Button(t("button.cancel"), "stop"), Button(t("button.other"), "suggest"))
    )


def loaded_header(ready: Ready, t: Speech) -> str:
    """What stands above an answer whose model had to be loaded; empty if it was loaded already."""
    if ready.via is LoadPath.ALREADY:
        return ""
    return t("ready.loaded_detail", model=ready.model.name, seconds=t.seconds(ready.seconds))


def loaded(ready: Ready, t: Speech) -> Notice:
    """The end of a load by hand."""
    if ready.via is LoadPath.ALREADY:
        key = "ready.already" if ready.model.local else "ready.external"
        return Notice(Tone.SUCCESS, t(key, model=ready.model.name))
    context = ready.model.loaded_context
    key = "ready.card_body" if context else "ready.card_body_plain"
    body = t(key, seconds=t.seconds(ready.seconds), context=context)
    return Notice(Tone.SUCCESS, t("ready.card", model=ready.model.name), body)
