"""Events and Problems as cards: everything that can happen has words and a remedy, in every language."""

from dataclasses import replace

import pytest

from bot import present
from bot.cards import Card, Choice, Notice, Progress, Tone, plain
from bot.texts import LANGUAGES, Speech
from core import errors, lost
from core.embedded import FetchKind
from core.model import (
    Checking,
    Failure,
    FailureKind,
    Fetching,
    LoadEvent,
    Loading,
    LoadPath,
    ModelState,
    Queued,
    Ready,
    Resident,
    Suggestion,
)
from core.refusals import Refusal
from tests.bot.checks import buttons, command, sound
from tests.fakes.provider import a_model, external

X = a_model("acme/X", name="X")
Y = a_model("acme/Y", name="Y")
LONG = a_model("acme/" + "very-" * 30 + "long", name="very " * 30)
FAILURE = Failure(FailureKind.CRASHED, "exit code 6", 0.0)

API = [(False, "", None), (True, "its own words", 12.0)]
API_PROBLEMS: tuple[type[errors.ApiProblem], ...] = (
    errors.ApiProblem,
    errors.KeyMissing,
    errors.KeyRejected,
    errors.NoMoney,
    errors.RateLimited,
    errors.Overloaded,
    errors.ModelMissing,
    errors.ApiUnreachable,
)

# One of each that can be told in different ways. A new Problem fails the test below until it stands here.
REASONS = (
    *("full", "read-only", "corrupt", "locked", "newer", "other"),
    *("in-use", "missing", "exists", "foreign", "broken", "set-aside"),
)
PROBLEMS: dict[type[errors.Problem], list[errors.Problem]] = {
    errors.Unreachable: [errors.Unreachable("pc:1234", "refused"), errors.Unreachable("pc:1234")],
    errors.Unauthorized: [errors.Unauthorized("pc:1234", set_) for set_ in (True, False)],
    errors.ModelUnknown: [errors.ModelUnknown("q"), errors.ModelUnknown("q" * 300, (X, LONG), "unload")],
    errors.ModelAmbiguous: [
        errors.ModelAmbiguous("x", tuple(replace(X, host=f"pc{n}") for n in range(12)), "load"),
        errors.ModelAmbiguous("x", (X, LONG)),
    ],
    errors.ModelUnavailable: [errors.ModelUnavailable(X, Failure(k, "why", 0.0)) for k in FailureKind],
    errors.LoadFailed: [errors.LoadFailed(X, k, text) for k in FailureKind for text in ("", "why")],
    errors.DoesNotFit: [
        errors.DoesNotFit(X, 9_000_000_000, (Resident("y", "y", "Y", 5_000_000_000, idle=2520),)),
        errors.DoesNotFit(X, None),
    ],
    errors.CannotUnload: [errors.CannotUnload(X)],
    errors.NoVision: [errors.NoVision(X)],
    errors.ModelGone: [errors.ModelGone(X), errors.ModelGone(X, "other")],
    errors.ModelAnswering: [errors.ModelAnswering(X)],
    errors.NoModel: [
        *(errors.NoModel(r, ("pc:1234",)) for r in ("no-host", "no-models", "all-inactive")),
        errors.NoModel("no-host", ("pc:1234",), "off"),
        errors.NoModel("no-host", (), "no AVX"),
    ],
    errors.ContextTooLong: [errors.ContextTooLong(X, 4096), errors.ContextTooLong(X)],
    errors.BadRequest: [errors.BadRequest(X, "images are not taken")],
    errors.Interrupted: [errors.Interrupted(X), errors.Interrupted(X, "closed")],
    errors.EmptyAnswer: [errors.EmptyAnswer(X)],
    errors.Refused: [errors.Refused(X), errors.Refused(external(), "not that")],
    **{
        kind: [kind("openai", own=own, text=text, retry_after=after) for own, text, after in API]
        for kind in API_PROBLEMS
    },
    lost.KeyUnreadable: [lost.KeyUnreadable("openai")],
    lost.KeyRingWrong: [
        lost.KeyRingWrong(why, "/data/master.keys", "0644")
        for why in ("open", "unreadable", "damaged", "lost")
    ],
    errors.NothingAsked: [errors.NothingAsked()],
    errors.StorageFailed: [errors.StorageFailed(why, "/data/x.db", "its own words") for why in REASONS],
    errors.SettingWrong: [errors.SettingWrong("SYNC_EVERY", "not a number")],
}
EVERY_PROBLEM = [problem for some in PROBLEMS.values() for problem in some]


def _classes(parent: type[errors.Problem]) -> set[type[errors.Problem]]:
    children = set(parent.__subclasses__())
    return children.union(*(_classes(child) for child in children))


def test_every_problem_is_told_here() -> None:
    """A Problem that nobody wrote a text for is noticed. Refusals have a test of their own."""
    assert set(PROBLEMS) == _classes(errors.Problem) - _classes(Refusal) - {Refusal}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("problem", EVERY_PROBLEM, ids=str)
def test_every_problem_has_words_and_a_remedy(problem: errors.Problem, language: str) -> None:
    """Each says what happened and what to do: in words that go beyond the server's own, or by a button."""
    t = Speech(language)
    card = present.trouble(problem, t)
    sound([card])
    assert t("problem.unknown") not in plain(card)
    body = card.body if isinstance(card, Notice) else ""
    for theirs in (getattr(problem, "text", ""), getattr(problem, "detail", "")):
        body = body.replace(theirs, "") if theirs else body
    assert body.strip() or buttons(card)
    if not isinstance(problem, errors.ModelAmbiguous):
        assert isinstance(card, Notice)
        assert card.tone is Tone.ERROR


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("problem", EVERY_PROBLEM, ids=str)
def test_after_a_failed_answer_another_model_is_one_tap_away(problem: errors.Problem, language: str) -> None:
    """With a question and a suggestion, the buttons switch the model and name the question."""
    suggestion = Suggestion((Y, LONG), X)
    card = present.trouble(problem, Speech(language), model=X, suggestion=suggestion, question=2**40)
    sound([card])
    if isinstance(problem, errors.ModelUnknown | errors.ModelAmbiguous | errors.NoModel):
        return  # these are answered by naming a model, or there is none
    assert f"use #{Y.tag} ?{2**40}" in [b.command for b in buttons(card)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", FailureKind)
def test_every_failure_has_a_reason(kind: FailureKind, language: str) -> None:
    """Why a model is inactive is told for each kind, with and without the server's wording."""
    t = Speech(language)
    for text in ("", "the server's words"):
        words = present.reason(X, Failure(kind, text, 0.0), t)
        assert words.endswith((".", ")", text))
        assert "{" not in words


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", FetchKind)
def test_every_failed_download_has_a_reason(kind: FetchKind, language: str) -> None:
    """A failed download of the demonstration model is told in our words, not by its code."""
    t = Speech(language)
    words = present.reason(X, Failure(FailureKind.FETCH_FAILED, kind.value, 0.0), t)
    assert t(f"fetch.{kind.value}") in words


def test_the_server_is_quoted_by_its_name() -> None:
    """What the embedded engine said is not put into LM Studio's mouth."""
    t = Speech("en")
    assert "LM Studio said: exit code 6" in present.reason(X, FAILURE, t)
    embedded = replace(X, provider="embedded")
    assert "embedded engine said: exit code 6" in present.reason(embedded, FAILURE, t)


def test_an_unavailable_model_reads_as_promised() -> None:
    """The mission's three parts, in order: not available, why, and the recommendation."""
    problem = errors.ModelUnavailable(X, FAILURE)
    card = present.trouble(problem, Speech("pt-BR"), model=X, suggestion=Suggestion((Y,), X), question=7)
    lines = plain(card).split("\n")
    assert lines[0] == '⚠️ Modelo "X" não está disponível.'
    assert lines[1].startswith("O modelo caiu ao carregar.")
    assert lines[2] == '💡 Recomendação: Selecione o modelo "Y" que está disponível.'
    assert command(card, "Usar Y e responder") == f"/use #{Y.tag} ?7"
    assert command(card, "Tentar de novo") == f"/use #{X.tag} ?7"


def test_nothing_to_suggest_is_said() -> None:
    """Without another model the card says so, and still offers to try again."""
    problem = errors.LoadFailed(X, FailureKind.CRASHED)
    card = present.trouble(problem, Speech("pt-BR"), model=X, suggestion=Suggestion((), X))
    assert "Nenhum outro modelo está disponível agora." in plain(card)
    assert command(card, "Tentar de novo") == f"/load #{X.tag}"


def test_offers() -> None:
    """Offers name each model with its state; without any there is a way to look again."""
    t = Speech("en")
    card = present.offers(Suggestion((X, external())), 3, t)
    assert isinstance(card, Choice)
    assert [b.command for b in card.options] == [f"use #{X.tag} ?3", f"use #{external().tag} ?3"]
    assert "💤 X" in card.body
    assert "🌐 gpt-mini" in card.body
    nothing = present.offers(Suggestion(), None, t)
    assert [b.command for b in nothing.buttons] == ["reset"]
    sound([card, nothing])


def test_equal_names_are_told_apart_by_host() -> None:
    """The same model on two hosts: the buttons name the hosts."""
    both = (X, replace(X, host="other:1"))
    card = present.trouble(errors.ModelAmbiguous("x", both), Speech("en"))
    assert [b.label for b in card.buttons] == ["X · fake:1", "X · other:1"]


# ---------------------------------------------------------------- loading

EVENTS: list[LoadEvent] = [
    Queued(X, 2),
    Fetching(X, 5_000_000, 93_000_000, "Apache-2.0", 3.0),
    Fetching(X, 5_000_000, None, "Apache-2.0"),
    Loading(X, None, 0.0),
    Loading(X, 0.0, 0.0),
    Loading(X, 0.5, 65.0, 130.0, watchers=3),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", EVENTS, ids=str)
def test_every_load_event_that_takes_time_has_a_card(event: LoadEvent, language: str) -> None:
    """It names the model and can be cancelled."""
    card = present.loading(event, Speech(language))
    assert isinstance(card, Progress)
    assert '"X"' in card.title
    assert "stop" in [b.command for b in card.buttons]
    sound([card])


def test_a_load_says_how_long_and_for_how_many() -> None:
    """Elapsed and expected time stand beside the bar, and who else waits."""
    card = present.loading(Loading(X, 0.5, 65.0, 130.0, watchers=3), Speech("pt-BR"))
    assert card is not None
    assert card.title == '🔄 Carregando modelo "X"… Isso pode levar alguns minutos'
    assert card.detail == "1 min 5 s de ≈ 2 min 10 s · 3 conversas esperam"
    assert card.fraction == 0.5


@pytest.mark.parametrize("event", [Checking(X), Ready(X, 1.0, LoadPath.SOCKET)])
def test_what_is_over_at_once_has_no_card(event: LoadEvent) -> None:
    """Checking and Ready are not worth a card of their own."""
    assert present.loading(event, Speech("en")) is None


@pytest.mark.parametrize("via", LoadPath)
def test_the_end_of_a_load(via: LoadPath) -> None:
    """Success with its time where something was loaded; "already" where nothing was."""
    ready = Ready(replace(X, state=ModelState.LOADED, loaded_context=8192), 9.1, via)
    t = Speech("pt-BR")
    card: Card = present.loaded(ready, t)
    sound([card])
    if via is LoadPath.ALREADY:
        assert "já estava carregado" in plain(card)
        assert present.loaded_header(ready, t) == ""
    else:
        assert plain(card) == '✅ Modelo "X" carregado com sucesso\nLevou 9,1 s. Contexto: 8192 tokens.'
        assert present.loaded_header(ready, t).startswith("✅ Modelo carregado com sucesso (X, 9,1 s")


# ---------------------------------------------------------------- a model in words


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", ModelState)
def test_every_state_has_a_mark_and_a_word(state: ModelState, language: str) -> None:
    """A model in any state can be listed."""
    t = Speech(language)
    assert present.mark(replace(X, state=state), t)
    assert t(f"state.{state.value}_word") in present.model_detail(replace(X, state=state), t)


def test_model_detail_has_what_is_known() -> None:
    """Size, context, abilities, host and tag in one line."""
    known = a_model(
        "q",
        ModelState.LOADED,
        params="8B",
        quant="Q4_K_M",
        size_bytes=4_700_000_000,
        max_context=32768,
        vision=True,
        tools=True,
        demo=True,
    )
    assert present.model_detail(known, Speech("pt-BR")) == (
        "carregado · 8B · Q4_K_M · 4,7 GB · contexto 4096 de 32768 · 👁 visão · 🔧 ferramentas · "
        f"🧪 demonstração · fake:1 · #{known.tag}"
    )


def test_short_name() -> None:
    """Without the publisher, and cut to fit a button."""
    assert present.short_name(X) == "X"
    assert len(present.short_name(LONG)) == present.LONGEST_LABEL
    assert present.short_name(LONG).endswith("…")


GUARDRAIL = (
    "stopped due to insufficient system resources. … requires approximately {} GB of memory, and continuing"
)


@pytest.mark.parametrize(
    ("said", "told"), [("39.61", "Ele precisa de cerca de 39,6 GB."), ("273000", "disse:"), ("NaN", "disse:")]
)
def test_a_guardrails_figure_is_told_in_our_words_unless_it_is_absurd(said: str, told: str) -> None:
    """The number is what helps; a figure nobody can believe is only quoted."""
    model = replace(X, size_bytes=20_000_000_000)
    failure = Failure(FailureKind.NEEDS_ROOM, GUARDRAIL.format(said), 0.0)
    words = present.reason(model, failure, Speech("pt-BR"))
    assert told in words
    assert ("LM Studio disse" in words) == (told == "disse:")
