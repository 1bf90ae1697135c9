"""Answers of every vendor: what is sent, what comes, how it ends; each against its own fake server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from pydantic import SecretStr

from core.conversation import Delta, Done, Picture, Reading, ReplyOptions, Role, Thinking, Turn, Usage
from core.errors import EmptyAnswer, Interrupted, KeyMissing, KeyRejected, Overloaded, Refused
from tests.core.providers.api.lab import ASK, FAKES, Lab, a_lab, said
from tests.fakes.vendors.script import Row, Say

TALK = (
    Turn(Role.SYSTEM, "seja breve"),
    Turn(Role.USER, "oi"),
    Turn(Role.ASSISTANT, "Olá!"),
    Turn(Role.USER, "tudo bem?"),
)
PICTURE = Turn(Role.USER, "o que é isto?", pictures=(Picture("image/png", b"\x89PNG"),))
THINKERS = ("openai", "anthropic", "google")
WIRES = ("openai", "anthropic", "google")


@pytest.fixture(params=FAKES)
async def lab(request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    async with a_lab(request.param) as opened:
        yield opened


async def test_an_answer_streams_with_usage_and_reason(lab: Lab) -> None:
    """Pieces in order, then one Done with the reason and the tokens that the vendor counted."""
    lab.server.script.append(Say(("Ol", "á", " 😀"), tokens=(21, 9)))
    events = await lab.ask()
    assert said(events) == "Olá 😀"
    assert len([e for e in events if isinstance(e, Delta)]) >= 2
    assert events[-1] == Done("stop", Usage(21, 9))


async def test_system_history_and_limits_are_sent(lab: Lab) -> None:
    """The vendor's server accepts the request with all of it, and sees the last question."""
    assert await lab.text(*TALK, temperature=0.5, max_tokens=50) == "You said: tudo bem?"
    sent = str(lab.server.questions()[-1].body)
    assert "seja breve" in sent
    assert "50" in sent
    assert "'assistant'" in sent or "'model'" in sent


async def test_pictures_are_sent(lab: Lab) -> None:
    """A picture goes along in the wire's own form."""
    answer = await lab.text(PICTURE)
    assert "[picture]" in answer
    assert "iVBORw" in str(lab.server.questions()[-1].body)


async def test_a_cut_at_the_limit_says_so(lab: Lab) -> None:
    """Every wire's word for it becomes `length`."""
    lab.server.script.append(Say(("a",), reason="length"))
    assert (await lab.ask())[-1] == Done("length", Usage(11, 4))


async def test_an_empty_answer_is_an_error(lab: Lab) -> None:
    """200 without a word is no answer, and is not asked for twice."""
    lab.server.script.append(Say(()))
    with pytest.raises(EmptyAnswer):
        await lab.ask()
    assert len(lab.server.questions()) == 1


async def test_a_refusal_for_safety(lab: Lab) -> None:
    """Without a word it is Refused; after some words they are kept and the end says so."""
    lab.server.script += [Say((), reason="refused"), Say(("Well",), reason="refused")]
    with pytest.raises(Refused):
        await lab.ask()
    assert (await lab.ask())[-1] == Done("refused", Usage(11, 4))


async def test_a_stream_that_is_cut_is_interrupted(lab: Lab) -> None:
    """What had come is kept, and no second request is made."""
    lab.server.script.append(Say(("One",), cut=True))
    with pytest.raises(Interrupted):
        await lab.ask()
    assert len(lab.server.questions()) == 1


@pytest.mark.parametrize("name", ["openai", "google"])
async def test_a_stream_that_ends_too_early_is_interrupted(name: str) -> None:
    """An orderly end without a reason is no end of an answer."""
    async with a_lab(name) as lab:
        lab.server.script.append(Say(("One",), breaks=Row(0, {})))
        with pytest.raises(Interrupted):
            await lab.ask()


async def test_nothing_is_asked_again_once_a_word_has_come() -> None:
    """Not even where the server names a parameter that could be left out."""
    async with a_lab("openai") as lab:
        error = {"message": "no", "type": "x", "code": "unsupported_value", "param": "temperature"}
        lab.server.models[1] = {"id": "gpt-5.4"}
        lab.server.script.append(Say(("One",), breaks=Row(0, {"error": error})))
        with pytest.raises(Interrupted):
            await lab.ask(temperature=0.2)
        assert len(lab.server.questions()) == 1


async def test_stopping_closes_the_connection(lab: Lab) -> None:
    """The vendor sees the reader go at once: nothing more is generated or paid for."""
    lab.server.script.append(Say(("One", " two"), hold=asyncio.Event()))
    async with aclosing(lab.api.reply(lab.model, ASK, ReplyOptions())) as events:
        async for event in events:
            if isinstance(event, Delta):
                break
    async with asyncio.timeout(5):
        await lab.server.gone.wait()
    assert lab.server.left == 1
    assert await lab.text() == "You said: olá"  # and the next question finds a free connection


async def test_cancelling_before_the_first_byte_closes_the_connection(lab: Lab) -> None:
    """Also while the model still reasons."""
    lab.server.script.append(Say(silence=asyncio.Event()))
    asking = asyncio.create_task(lab.ask())
    async with asyncio.timeout(5):
        await lab.server.came.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await lab.server.gone.wait()
    assert lab.server.left == 1


async def test_a_slow_first_byte_is_waited_for(lab: Lab) -> None:
    """Silence is told second by second and is no failure; one request is made."""
    silence = asyncio.Event()
    lab.server.script.append(Say(silence=silence))
    seen = []
    async with aclosing(lab.api.reply(lab.model, ASK, ReplyOptions())) as events:
        async for event in events:
            seen.append(event)
            if isinstance(event, Reading):
                silence.set()
    assert isinstance(seen[0], Reading)
    assert said(seen) == "You said: olá"
    assert len(lab.server.questions()) == 1


async def test_the_key_goes_into_headers_alone(lab: Lab) -> None:
    """No address and no body carries it."""
    await lab.ask()
    for asked in lab.server.asked:
        assert lab.server.key not in f"{asked.path} {asked.query} {asked.body}"


async def test_without_any_key_nothing_is_sent(lab: Lab) -> None:
    """KeyMissing, unless the server wants none."""
    lab.keys[None] = None
    if lab.vendor.needs_key:
        with pytest.raises(KeyMissing):
            await lab.ask()
        assert lab.server.asked == []
    else:
        assert await lab.text() == "You said: olá"
        assert not [asked for asked in lab.server.asked if "Authorization" in asked.headers]


async def test_a_person_s_own_key_pays_for_that_person(lab: Lab) -> None:
    """Own keys are used for their owner, and a refusal says whose key it was."""
    if not lab.vendor.needs_key:
        return
    lab.keys["telegram:42"] = SecretStr("sk-of-her-own-0123456789")
    with pytest.raises(KeyRejected) as caught:
        await lab.ask(person="telegram:42")
    assert caught.value.own
    assert "sk-of-her-own" not in f"{caught.value} {caught.value!r}"
    assert await lab.text(person="telegram:7") == "You said: olá"
    assert await lab.api.own("telegram:42")
    assert not await lab.api.own("telegram:7")
    assert await lab.api.serves("telegram:7")


@pytest.mark.parametrize("name", THINKERS)
async def test_reasoning_is_kept_apart(name: str) -> None:
    """A vendor's reasoning is never part of the answer."""
    async with a_lab(name) as lab:
        lab.server.script.append(Say(("Sim",), thoughts=("let me", " see")))
        events = await lab.ask()
        assert said(events) == "Sim"
        assert "".join(e.text for e in events if isinstance(e, Thinking)) == "let me see"


MID: dict[str, Row] = {
    "openai": Row(
        0, {"error": {"message": "The server is overloaded", "type": "server_error", "code": None}}
    ),
    "anthropic": Row(
        0, {"type": "error", "error": {"details": None, "type": "overloaded_error", "message": "Overloaded"}}
    ),
    "google": Row(0, {"error": {"code": 503, "message": "The model is overloaded", "status": "UNAVAILABLE"}}),
}


@pytest.mark.parametrize("name", WIRES)
async def test_an_error_within_the_stream_after_words(name: str) -> None:
    """After HTTP 200 and some words: Interrupted with its words, nothing is asked again."""
    async with a_lab(name) as lab:
        lab.server.script.append(Say(("One",), breaks=MID[name]))
        with pytest.raises(Interrupted, match="verloaded"):
            await lab.ask()
        assert len(lab.server.questions()) == 1


@pytest.mark.parametrize("name", WIRES)
async def test_an_error_within_the_stream_before_words(name: str) -> None:
    """After HTTP 200 and before the first word it is tried again; if it stays, it is Overloaded."""
    async with a_lab(name) as lab:
        lab.server.script += [Say((), breaks=MID[name]), Say(("Oi",))]
        assert await lab.text() == "Oi"
        lab.server.script += [Say((), breaks=MID[name])] * 3
        with pytest.raises(Overloaded):
            await lab.ask()
        assert len(lab.server.questions()) == 5


@pytest.mark.parametrize("name", ["openai", "mistral", "own"])
async def test_tags_of_open_models_are_reasoning(name: str) -> None:
    """`<think>` within the answer of a compatible server is sorted out as LM Studio's is."""
    async with a_lab(name) as lab:
        lab.server.script.append(Say(("<think>hm", "</think>", "Sim")))
        events = await lab.ask()
        assert said(events) == "Sim"
        assert any(isinstance(e, Thinking) for e in events)


async def test_anthropic_always_gets_a_limit_that_the_model_bears() -> None:
    """The wire wants `max_tokens`; it is never more than the model gives, and temperature ends at 1."""
    async with a_lab("anthropic") as lab:
        await lab.ask(temperature=1.7)
        assert lab.server.questions()[-1].body["max_tokens"] == 4096
        assert lab.server.questions()[-1].body["temperature"] == 1.0
        await lab.api.models()
        await lab.ask(max_tokens=1_000_000)
        await lab.ask()
        limits = [asked.body["max_tokens"] for asked in lab.server.questions()[1:]]
        assert limits[-1] == 16_384


async def test_a_temperature_that_a_model_does_not_take_is_left_out() -> None:
    """OpenAI names the parameter: the question goes again without it."""
    async with a_lab("openai") as lab:
        lab.server.models[1] = {"id": "o4-mini"}
        assert await lab.text(temperature=0.3, max_tokens=9) == "You said: olá"
        first, second = (asked.body for asked in lab.server.questions())
        assert "temperature" in first
        assert "temperature" not in second
        assert second["max_completion_tokens"] == 9


async def test_genspark_s_refusal_in_disguise() -> None:
    """HTTP 200 with the sentence of a blocked account is a rejected key, and not a word of it is shown."""
    async with a_lab("genspark") as lab:
        lab.server.script.append(Say(("This account is not", " permitted to use the Genspark API. Bye.")))
        events = lab.api.reply(lab.model, ASK, ReplyOptions())
        with pytest.raises(KeyRejected, match="not permitted"):
            await anext(events)
        lab.server.script.append(Say(("This account", " is fine.")))
        assert await lab.text() == "This account is fine."
        lab.server.script.append(Say(("This",)))
        assert await lab.text() == "This"
