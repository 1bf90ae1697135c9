"""Answers in odd shapes, played by a plain function."""

import json
from typing import Any

import httpx2
import pytest

from core.conversation import Delta, Done, Rethought, Usage
from core.errors import BadRequest, ContextTooLong, EmptyAnswer, Interrupted, ModelGone, Problem
from core.model import Model, ModelState
from tests.core.providers.lmstudio.lab import answer, played, text_of, thought_of
from tests.fakes.provider import a_model

MODEL = a_model("a/b", ModelState.LOADED)
STOP = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
OVERFLOW = "The number of tokens to keep from the initial prompt is greater than the context length (9>8)"


def says(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "a/b", "choices": [{"delta": {"content": text}}], **more}


def sse(*frames: Any, done: bool = True) -> httpx2.Response:
    """A stream of frames: what is a string goes as it is, everything else as JSON data."""
    lines = [f if isinstance(f, str) else f"data: {json.dumps(f)}" for f in frames]
    body = "".join(f"{line}\n\n" for line in [*lines, *(["data: [DONE]"] if done else [])])
    return httpx2.Response(200, text=body, headers={"content-type": "text/event-stream; charset=utf-8"})


async def events(said: httpx2.Response, model: Model = MODEL) -> list[Any]:
    async with played(lambda _: said) as client:
        return await answer(client, model)


async def test_no_done() -> None:
    """A finish reason is an end even without [DONE]; [DONE] is one without a finish reason."""
    assert await events(sse(says("hi"), STOP, done=False)) == [Delta("hi"), Done("stop")]
    assert await events(sse(says("hi"))) == [Delta("hi"), Done("stop")]


async def test_closed_in_the_middle() -> None:
    """Neither the one nor the other: the answer broke off."""
    with pytest.raises(Interrupted):
        await events(sse(says("hi"), done=False))


async def test_nothing_at_all() -> None:
    """An end without a word and without a reason is a failure; with a reason it is an empty answer."""
    for said in (sse(), sse(done=False), sse({"choices": []})):
        with pytest.raises(EmptyAnswer):
            await events(said)
    assert await events(sse(STOP)) == [Done("stop")]


async def test_usage_after_the_end() -> None:
    """The usage comes in a chunk of its own, after the finish reason."""
    usage = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}
    assert (await events(sse(says("hi"), STOP, usage)))[-1] == Done("stop", Usage(7, 2))


async def test_answer_in_one_piece() -> None:
    """A server that does not stream gives the whole answer at once."""
    message = {"content": "<think>why</think>hi", "reasoning_content": "because"}
    body = {"model": "a/b", "choices": [{"message": message, "finish_reason": "stop"}]}
    came = await events(httpx2.Response(200, json=body))
    assert (thought_of(came), text_of(came)) == ("becausewhy", "hi")
    assert came[-1] == Done("stop")


async def test_lone_closing_tag() -> None:
    """Reasoning whose opening tag the template wrote is taken out of the answer afterwards."""
    came = await events(sse(says("I thi"), says("nk</thi"), says("nk>\n\nYes"), STOP))
    after = came[came.index(Rethought()) :]
    assert text_of(after) == "Yes"


async def test_text_held_back_comes_in_the_end() -> None:
    """What looked like the start of a tag is text when nothing follows."""
    assert text_of(await events(sse(says("a <thi"), STOP))) == "a <thi"
    assert text_of(await events(sse(says("<thi"), STOP))) == "<thi"


async def test_foreign_frames_are_passed_over() -> None:
    """Comments, torn JSON and shapes of a newer build do not break an answer."""
    odd = [": ping", "data: {torn", "event: brand-new\ndata: {}", {"choices": [1]}, ["?"], {"usage": "?"}]
    assert text_of(await events(sse(says("a"), *odd, says("b"), STOP))) == "ab"


ERRORS: list[tuple[httpx2.Response, type[Problem]]] = [
    (sse({"error": OVERFLOW}), ContextTooLong),
    (sse(f'event: error\ndata: {{"error":{{"message":"{OVERFLOW}"}},"message":"x"}}'), ContextTooLong),
    (sse(f'event: error\ndata: {{"message":"{OVERFLOW}"}}'), ContextTooLong),
    (httpx2.Response(400, json={"error": OVERFLOW}), ContextTooLong),
    (httpx2.Response(500, json={"error": {"message": OVERFLOW, "type": "internal_error"}}), ContextTooLong),
    (httpx2.Response(200, json={"error": {"message": "nonsense"}}), BadRequest),
    (httpx2.Response(200, json={"error": "Unexpected endpoint or method. (POST /x)"}), BadRequest),
    (httpx2.Response(200, text="<html>"), BadRequest),
    (sse("event: error\ndata: what"), BadRequest),
    (sse("event: error\ndata: 7"), BadRequest),
    (httpx2.Response(400, json={"error": {"message": "No models loaded. Please load a model"}}), ModelGone),
    (sse(says("hi"), {"error": "nonsense"}), Interrupted),
    (sse(says("hi"), {"error": OVERFLOW}), ContextTooLong),
    (sse({"model": "other/model", "choices": [{"delta": {"content": "hi"}}]}), ModelGone),
]


@pytest.mark.parametrize(("said", "kind"), ERRORS)
async def test_errors(said: httpx2.Response, kind: type[Problem]) -> None:
    """An error is found by its shape, whatever its status and its place."""
    with pytest.raises(Problem) as caught:
        await events(said)
    assert type(caught.value) is kind


@pytest.mark.parametrize("served", ["a/b", "A/B", "a/b@q4_k_m", "a/b:2", "job-17"])
async def test_names_of_the_same_model(served: str) -> None:
    """Case, quantisation, the number of a copy and the instance's own name do not make another model."""
    model = a_model("a/b", ModelState.LOADED, instance="job-17")
    assert text_of(await events(sse(says("hi") | {"model": served}, STOP), model)) == "hi"
