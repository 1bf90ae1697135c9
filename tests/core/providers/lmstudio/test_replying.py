"""Streamed answers from a fake LM Studio: text, reasoning, and every way they end."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from core.conversation import Delta, Done, ReplyEvent, ReplyOptions, Role, Turn, Usage
from core.errors import (
    BadRequest,
    ContextTooLong,
    EmptyAnswer,
    Interrupted,
    LoadFailed,
    ModelGone,
    Problem,
    Unauthorized,
    Unreachable,
)
from core.model import FailureKind, Model
from core.providers.lmstudio import LMStudio
from tests.core.providers.lmstudio.lab import (
    HELLO,
    MINI,
    NOVA,
    TOKEN,
    answer,
    lab,
    one,
    text_of,
    thought_of,
)
from tests.fakes.lmstudio.server import FakeModel

CHAT = "/v1/chat/completions"


async def broken(
    client: LMStudio, model: Model, meanwhile: Callable[[], None] = lambda: None
) -> tuple[str, Problem]:
    """What came before the answer broke, and the Problem it broke with; `meanwhile` happens after each piece."""
    events: list[ReplyEvent] = []
    try:
        async with aclosing(client.reply(model, HELLO, ReplyOptions())) as stream:
            async for event in stream:
                events.append(event)
                meanwhile()
    except Problem as problem:
        return text_of(events), problem
    raise AssertionError


async def test_answer() -> None:
    """The text comes in pieces, the end last, with the tokens the server counted."""
    async with lab(FakeModel("a/b", reply="One two three"), loaded=["a/b"]) as (server, client):
        turns = [Turn(Role.SYSTEM, "brief"), *HELLO]
        options = ReplyOptions(temperature=0.5, max_tokens=50)
        events = await answer(client, await one(client, "a/b"), turns, options)
        sent = server.bodies[0]
    assert text_of(events) == "One two three"
    assert len([e for e in events if isinstance(e, Delta)]) == 3
    assert events[-1] == Done("stop", Usage(4, 3))
    assert sent["messages"] == [{"role": "system", "content": "brief"}, {"role": "user", "content": "hello"}]
    assert (sent["temperature"], sent["max_tokens"]) == (0.5, 50)


async def test_answer_cut_by_its_limit() -> None:
    """An answer that reached its limit says so."""
    async with lab(loaded=[NOVA]) as (_, client):
        events = await answer(client, await one(client), HELLO, ReplyOptions(max_tokens=2))
    assert isinstance(events[-1], Done)
    assert events[-1].reason == "length"


@pytest.mark.parametrize("style", ["reasoning_content", "reasoning", "think-tags"])
async def test_reasoning(style: Any) -> None:
    """Reasoning is told apart from the answer in each of its three forms."""
    model = FakeModel("a/b", reply="Yes.", thinking="Let me see", thinking_style=style)
    async with lab(model, loaded=["a/b"]) as (_, client):
        events = await answer(client, await one(client, "a/b"))
    assert thought_of(events).strip() == "Let me see"
    assert text_of(events) == "Yes."


async def test_the_loaded_instance_is_asked() -> None:
    """A copy or an instance under another name is asked by its own name, and its answer is accepted."""
    async with lab() as (server, client):
        server.preload(NOVA, identifier="job-17")
        assert text_of(await answer(client, await one(client))) != ""
        assert server.bodies[0]["model"] == "job-17"


async def test_a_copy_may_answer() -> None:
    """Asked by its key, a second copy of the same model is still the model."""
    async with lab() as (server, client):
        model = await one(client)
        server.preload(NOVA, identifier=f"{NOVA}:2")
        assert text_of(await answer(client, model)) != ""


async def test_another_model_answers() -> None:
    """B4: with one model loaded LM Studio lets it answer for any unknown name. That is no answer."""
    async with lab(loaded=[MINI]) as (server, client):
        model = await one(client)
        server.host.models.pop(0)
        text, problem = await broken(client, model)
    assert text == ""
    assert isinstance(problem, ModelGone)
    assert problem.text == MINI


# ---------------------------------------------------------------- errors before the first word


@pytest.mark.parametrize("stream_error", ["event", "data", "empty"])
async def test_error_frames(stream_error: Any) -> None:
    """A failed stream is status 200: an error event, an error string, or nothing; then it is asked for why."""
    async with lab(loaded=[NOVA], stream_error=stream_error) as (server, client):
        server.fault(CHAT, "error-event", times=2, text="Something odd")
        text, problem = await broken(client, await one(client))
    assert text == ""
    assert isinstance(problem, BadRequest)
    assert problem.text == "Something odd"
    assert server.count("request", path=CHAT) == (2 if stream_error == "empty" else 1)


async def test_a_dead_stream_is_asked_for_in_one_piece() -> None:
    """A build whose streams bring nothing answers the same request unstreamed, thoughts and usage included."""
    model = FakeModel("a/b", reply="One two", thinking="why")
    async with lab(model, loaded=["a/b"], streams_dead=True) as (server, client):
        came = await answer(client, await one(client, "a/b"), HELLO)
    assert (thought_of(came), text_of(came)) == ("why", "One two")
    assert isinstance(came[-1], Done)
    assert came[-1].usage.tokens_out == 3
    assert [body["stream"] for body in server.bodies] == [True, False]
    assert "stream_options" not in server.bodies[-1]


@pytest.mark.parametrize("stream_error", ["event", "data"])
async def test_context_overflow(stream_error: Any) -> None:
    """A prompt that is too long is told as such, with the context that is loaded."""
    async with lab(stream_error=stream_error) as (server, client):
        server.preload(NOVA, context_length=16)
        model = await one(client)
        with pytest.raises(ContextTooLong) as caught:
            await answer(client, model, [Turn(Role.USER, "long " * 100)])
    assert caught.value.context == 16


FAULTS: list[tuple[str, type[Problem], str]] = [
    ("status:500", BadRequest, "Internal error"),
    ("html", BadRequest, "HTTP 500"),
    ("garbage", BadRequest, "HTTP 200"),
    ("empty", EmptyAnswer, ""),
    ("drop", Unreachable, ""),
]


@pytest.mark.parametrize(("fault", "kind", "text"), FAULTS)
async def test_faults(fault: str, kind: type[Problem], text: str) -> None:
    """Statuses, HTML, garbage, silence and a reset before the first word each have their Problem."""
    async with lab(loaded=[NOVA]) as (server, client):
        server.fault(CHAT, fault, times=2)
        _, problem = await broken(client, await one(client))
    assert type(problem) is kind
    assert text in str(problem)


async def test_unauthorized() -> None:
    """A token that is asked for all of a sudden is told as such."""
    async with lab(loaded=[NOVA]) as (server, client):
        model = await one(client)
        server.switches.token = TOKEN
        _, problem = await broken(client, model)
    assert isinstance(problem, Unauthorized)


async def test_host_gone() -> None:
    """Nobody listens any more."""
    async with lab(loaded=[NOVA]) as (server, client):
        model = await one(client)
        await server.kill()
        _, problem = await broken(client, model)
    assert isinstance(problem, Unreachable)


async def test_model_unloaded_before_the_question() -> None:
    """With just-in-time loading off, a model unloaded in between is gone, to be loaded again."""
    async with lab(loaded=[NOVA]) as (server, client):
        model = await one(client)
        server.switches.jit = False
        server.host.unload(server.instances()[0])
        _, problem = await broken(client, model)
    assert isinstance(problem, ModelGone)


async def test_just_in_time_load_fails() -> None:
    """A load that the question itself caused and that failed is told as a failed load."""
    async with lab(memory_bytes=1) as (_, client):
        _, problem = await broken(client, await one(client))
    assert isinstance(problem, LoadFailed)
    assert problem.kind is FailureKind.NEEDS_ROOM


# ---------------------------------------------------------------- errors in the middle


async def test_connection_lost_in_the_middle() -> None:
    """A stream that is cut off keeps what had come and says that it broke."""
    async with lab(FakeModel("a/b", reply="one two three four"), loaded=["a/b"]) as (server, client):
        server.fault(CHAT, "drop-mid:2")
        text, problem = await broken(client, await one(client, "a/b"))
    assert text == "one two"
    assert isinstance(problem, Interrupted)


async def test_model_crashes_in_the_middle() -> None:
    """A crash after some words breaks the answer off, with the server's own words."""
    async with lab(FakeModel("a/b", reply="one two three", crash_after=2), loaded=["a/b"]) as (_, client):
        text, problem = await broken(client, await one(client, "a/b"))
    assert text == "one two"
    assert isinstance(problem, Interrupted)
    assert "crashed" in problem.text


async def test_model_unloaded_in_the_middle() -> None:
    """What had come of an answer is broken off, not asked again behind the reader's back."""
    model = FakeModel("a/b", reply="one two three", hold_reply=asyncio.Event())
    async with lab(model, loaded=["a/b"]) as (server, client):
        text, problem = await broken(
            client, await one(client, "a/b"), lambda: server.host.unload(server.instances()[0])
        )
    assert isinstance(problem, Interrupted)
    assert "unloaded" in problem.text
    assert text == "one"


async def test_context_full_in_the_middle() -> None:
    """G1: other answers may fill a shared context; whether to ask again is decided above."""
    hold = asyncio.Event()
    hold.set()
    model = FakeModel("a/b", reply="word " * 50, hold_reply=hold)
    async with lab(model, shared_context=True) as (server, client):
        server.preload("a/b", context_length=12)
        text, problem = await broken(client, await one(client, "a/b"))
    assert text != ""
    assert isinstance(problem, ContextTooLong)


async def test_closing_the_iterator_stops_generation() -> None:
    """A reader who leaves stops the model at the server."""
    model = FakeModel("a/b", reply="one two three", hold_reply=asyncio.Event())
    async with lab(model, loaded=["a/b"]) as (server, client):
        listed = await one(client, "a/b")
        before = asyncio.all_tasks()
        async with aclosing(client.reply(listed, HELLO, ReplyOptions())) as stream:
            assert await anext(stream) == Delta("one")
            assert server.count("generation_stopped") == 0
        await server.wait_for("generation_stopped")
        await asyncio.sleep(0)
        left = [t for t in asyncio.all_tasks() - before if "aclose" in repr(t.get_coro())]
    assert left == []


async def test_cancelling_the_reader_stops_generation() -> None:
    """A cancelled reader stops the model as well, also before the first word."""
    model = FakeModel("a/b", hold_prefill=asyncio.Event())
    async with lab(model, loaded=["a/b"]) as (server, client):
        listed = await one(client, "a/b")
        reader = asyncio.create_task(answer(client, listed))
        await server.wait_for("generation_started")
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        assert model.hold_prefill is not None
        model.hold_prefill.set()  # a prefill that has begun runs to its end
        await server.wait_for("generation_stopped")
