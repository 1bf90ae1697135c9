"""A Problem as a card: what happened, why, what to do, and buttons for it."""

from collections.abc import Sequence

from bot.cards import Button, Card, Choice, Notice, Tone
from bot.clean import line
from bot.present.models import mark, place, reason, told_apart
from bot.present.refusals import refused
from bot.texts import Speech
from core import errors, lost
from core.model import Failure, FailureKind, Model, ModelState, Resident, Suggestion
from core.providers import vendors
from core.refusals import Refusal


def trouble(  # noqa: PLR0911  # one return for each kind
    problem: errors.Problem,
    t: Speech,
    *,
    model: Model | None = None,
    suggestion: Suggestion | None = None,
    question: int | None = None,
) -> Card:
    """A Problem as a card: what happened, why, what to do, and buttons for it.

    `model` is the one in use, `suggestion` what may be used instead, `question` the turn to answer then.
    """
    if isinstance(problem, Refusal):
        return refused(problem, t, _offers(suggestion, question, t))
    failed = unusable(problem, model)
    if failed is not None:
        offer = problem.offer if isinstance(problem, errors.LoadFailed) else ()
        own = isinstance(problem, errors.ApiProblem) and problem.own
        remedies = _remedies(problem, t)
        return _unavailable(*failed, t, suggestion, question, offer=offer, own=own, remedies=remedies)
    match problem:
        case errors.ModelUnknown(name, near, verb):
            return _unknown(name, near, verb, t)
        case errors.ModelAmbiguous(name, options, verb):
            return Choice(t("problem.model-ambiguous", name=line(name)), _choices(options, verb))
        case errors.NoModel():
            return _no_model(problem, t)
        case errors.DoesNotFit():
            return _does_not_fit(problem, t, suggestion, question)
        case _:
            title, body = _words(problem, t)
            buttons = _remedies(problem, t) + _offers(suggestion, question, t)
            return Notice(Tone.ERROR, title, body, buttons)


def not_remembered(problem: errors.StorageFailed, t: Speech) -> str:
    """A footnote: the answer is here, but nothing of it is kept."""
    return t("reply.not_remembered", reason=_words(problem, t)[1])


def unusable(problem: errors.Problem, model: Model | None) -> tuple[Model, Failure] | None:
    """Problems that mean: this model cannot be used now."""
    match problem:
        case errors.ModelUnavailable(failed, failure):
            return failed, failure
        case errors.LoadFailed(failed, kind, text):
            return failed, Failure(kind, text, 0.0)
        case errors.Unreachable(_, detail) if model is not None:
            return model, Failure(FailureKind.UNREACHABLE, detail, 0.0)
        case errors.Unauthorized() if model is not None:
            return model, Failure(FailureKind.UNAUTHORIZED, "", 0.0)
        case errors.ApiProblem() if model is not None:
            return model, problem.failure
        case _:
            return None


def _unavailable(
    model: Model,
    failure: Failure,
    t: Speech,
    suggestion: Suggestion | None,
    question: int | None,
    *,
    offer: Sequence[Resident] = (),
    own: bool = False,
    remedies: tuple[Button, ...] = (),
) -> Notice:
    body = [reason(model, failure, t, own=own), *(_frees(resident, t) for resident in offer)]
    best = suggestion.best if suggestion else None
    if best is not None:
        body.append(t("suggestion.recommend", model=best.name))
    elif suggestion is not None:
        body.append(t("suggestion.none"))
    again = f"use #{model.tag} ?{question}" if question else f"load #{model.tag}"
    room = (Button(t("button.room"), f"{again} room"),) if offer else ()
    buttons = (*room, *_offers(suggestion, question, t), *remedies, Button(t("button.again"), again))
    return Notice(Tone.ERROR, t("failure.title", model=model.name), "\n".join(body), buttons)


def _does_not_fit(
    problem: errors.DoesNotFit, t: Speech, suggestion: Suggestion | None, question: int | None
) -> Notice:
    """What would leave the memory for it, as buttons: unload and load, another model, load anyway."""
    again = f"use #{problem.model.tag} ?{question}" if question else f"load #{problem.model.tag}"
    body = [t("problem.does-not-fit_needed", size=t.size(problem.needed))] if problem.needed else []
    body += [_frees(resident, t) for resident in problem.offer]
    if not problem.offer:
        body.append(t("problem.does-not-fit_nothing"))
    room = (Button(t("button.room"), f"{again} room"),) if problem.offer else ()
    anyway = Button(t("button.anyway"), f"{again} anyway")
    title = t("problem.does-not-fit", model=problem.model.name)
    return Notice(Tone.ERROR, title, "\n".join(body), (*room, *_offers(suggestion, question, t), anyway))


def _frees(resident: Resident, t: Speech) -> str:
    size = f" ({t.size(resident.size_bytes)})" if resident.size_bytes else ""
    idle = t("problem.does-not-fit_idle", time=t.seconds(resident.idle)) if resident.idle else ""
    return t("problem.does-not-fit_offer", name=resident.name, size=size, idle=idle)


def _offers(suggestion: Suggestion | None, question: int | None, t: Speech) -> tuple[Button, ...]:
    """One tap switches the model and answers the question that was asked."""
    if suggestion is None:
        return ()
    key = "button.use_and_answer" if question else "button.use"
    tail = f" ?{question}" if question else ""
    named = zip(told_apart(suggestion.models), suggestion.models, strict=True)
    return tuple(Button(t(key, model=name), f"use #{m.tag}{tail}") for name, m in named)


def offers(suggestion: Suggestion, question: int | None, t: Speech) -> Card:
    """Models to choose from, best first."""
    if not suggestion.models:
        return Notice(Tone.WARNING, t("suggestion.nothing"), buttons=(Button(t("button.reset"), "reset"),))
    rows = "\n".join(f"{mark(m, t)} {m.name}" for m in suggestion.models)
    return Choice(t("suggestion.title"), _offers(suggestion, question, t), t("suggestion.body") + "\n" + rows)


def _choices(models: tuple[Model, ...], verb: str) -> tuple[Button, ...]:
    shown = models[:8]
    return tuple(Button(name, f"{verb} #{m.tag}") for name, m in zip(told_apart(shown), shown, strict=True))


def _unknown(name: str, near: tuple[Model, ...], verb: str, t: Speech) -> Notice:
    body = t("problem.model-unknown_near" if near else "problem.model-unknown_none")
    buttons = _choices(near, verb) or (Button(t("button.models"), "models"),)
    return Notice(Tone.ERROR, t("problem.model-unknown", name=line(name)), body, buttons)


def _no_model(problem: errors.NoModel, t: Speech) -> Notice:
    words = [t(f"problem.no-model_{problem.reason}", hosts=", ".join(problem.hosts))]
    if problem.reason == "no-host":
        if problem.detail == "off":
            words.append(t("problem.no-model_no-host_off"))
        elif problem.detail:
            words.append(t("problem.no-model_no-engine", detail=problem.detail))
            words.append(t("problem.no-model_scripted"))
    return Notice(Tone.ERROR, t("problem.no-model"), "\n".join(words), _remedies(problem, t))


def _words(problem: errors.Problem, t: Speech) -> tuple[str, str]:  # noqa: C901, PLR0911  # one case for each kind
    """Title and body of the Problems that need nothing but their data."""
    match problem:
        case errors.ApiProblem() | errors.Refused():
            return _words_of_api(problem, t)
        case errors.StorageFailed(why, path, detail):
            title = f"problem.storage_{why}_title"
            title = title if t.has(title) else "problem.storage"
            return t(title, path=path), t(f"problem.storage_{why}", detail=detail, path=path)
        case lost.KeyUnreadable() | lost.KeyRingWrong():
            return _words_of_keys(problem, t)
        case errors.SettingWrong(name, detail):
            return t("problem.setting", name=name, detail=detail), t("problem.setting_body")
        case errors.Unauthorized(host, token_set):
            title = "problem.unauthorized_wrong" if token_set else "problem.unauthorized"
            return t(title, host=host), t("problem.unauthorized_body")
        case errors.ContextTooLong(model, context):
            body = "problem.context_body" if context else "problem.context_body_plain"
            return t("problem.context"), t(body, model=model.name, context=context)
        case errors.Unreachable(host):
            return t("problem.unreachable", host=host), t("problem.unreachable_body")
        case errors.BadRequest(model, text) | errors.ModelGone(model, text):
            return t(problem.key, model=model.name), t(f"{problem.key}_body", text=text)
        case errors.Interrupted(model, text):
            return t(problem.key, model=model.name), text
        case (
            errors.EmptyAnswer(model)
            | errors.ModelAnswering(model)
            | errors.NoVision(model)
            | errors.CannotUnload(model)
        ):
            body, of_api = f"{problem.key}_body", f"{problem.key}_body_api"
            chosen = of_api if not model.local and t.has(of_api) else body
            return t(problem.key, model=model.name), t(chosen)
        case _:
            return t(problem.key), t(f"{problem.key}_body") if t.has(f"{problem.key}_body") else ""


def _words_of_keys(problem: lost.KeyUnreadable | lost.KeyRingWrong, t: Speech) -> tuple[str, str]:
    if isinstance(problem, lost.KeyUnreadable):
        return t(problem.key, vendor=vendors.title(problem.vendor)), t("problem.key-unreadable_body")
    words = t(f"problem.key-ring_{problem.reason}", path=problem.path, detail=problem.detail)
    return t(problem.key, path=problem.path), words


def _words_of_api(problem: errors.ApiProblem | errors.Refused, t: Speech) -> tuple[str, str]:
    if isinstance(problem, errors.Refused):
        model, text = problem.model, problem.text
        said = t("failure.said", server=place(model), text=text) if text else ""
        return t(problem.key, model=model.name), f"{t('problem.refused_body')} {said}".strip()
    words = reason(_anything_of(problem.vendor), problem.failure, t, own=problem.own)
    return t(problem.key, vendor=vendors.title(problem.vendor)), words


def _anything_of(vendor: str) -> Model:
    """Where a vendor is spoken of and no model: whatever it serves."""
    return Model(vendor, "", "", "", ModelState.EXTERNAL)


_REMEDY_LABELS = {
    "retry": "button.retry",
    "reset": "button.reset",
    "status": "button.status",
    "unload": "button.unload_force",
    "models": "button.models",
    "key": "button.key",
}


def _remedies(problem: errors.Problem, t: Speech) -> tuple[Button, ...]:
    return tuple(
        Button(t(_REMEDY_LABELS.get(line.split()[0], "button.help")), line) for line in problem.remedies
    )
