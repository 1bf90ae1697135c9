"""The official SDKs against the fake vendors: their own models and exceptions judge the shapes.

OpenAI's SDK also speaks for the vendors that call themselves compatible. Google's has pins that collide with
ours: see `test_fake_vendors_google.py`.
"""

from typing import Any

import anthropic
import openai
import pytest
from anthropic.types import ModelInfo
from openai.types import Model
from openai.types.chat import ChatCompletionChunk

from tests.core.providers.api.lab import FAKES
from tests.fakes.vendors import rows
from tests.fakes.vendors.alike import FakeAI21, FakeCohere, FakeMistral
from tests.fakes.vendors.anthropic import FakeAnthropic
from tests.fakes.vendors.openai import FakeOpenAI
from tests.fakes.vendors.rows import Refused
from tests.fakes.vendors.script import Row, Say
from tests.fakes.vendors.server import FakeVendor

ALIKE = [name for name in FAKES if name not in {"anthropic", "google", "own"}]


def client_of(server: FakeVendor, **changes: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=server.base, api_key=server.key, max_retries=0, **changes)


def messages(text: str) -> list[Any]:
    return [{"role": "system", "content": "seja breve"}, {"role": "user", "content": text}]


@pytest.mark.parametrize("name", ALIKE)
async def test_openai_s_client_streams_from_it(name: str) -> None:
    """Every chunk is one of its own type; the text, the reason and the usage arrive."""
    async with FAKES[name]() as server, client_of(server) as client:
        unasked = isinstance(server, FakeMistral | FakeCohere | FakeAI21)
        more: dict[str, Any] = {} if unasked else {"stream_options": {"include_usage": True}}
        stream = await client.chat.completions.create(
            model="gpt-6", messages=messages("olá"), stream=True, **more
        )
        chunks = [chunk async for chunk in stream]
        for chunk in chunks:
            ChatCompletionChunk.model_validate(chunk.to_dict())
        choices = [choice for chunk in chunks for choice in chunk.choices]
        assert "".join(choice.delta.content or "" for choice in choices) == "You said: olá"
        assert choices[-1].finish_reason == "stop"
        usage = chunks[-1].usage
        assert usage is not None
        assert (usage.prompt_tokens, usage.completion_tokens) == (11, 4)


@pytest.mark.parametrize("name", [name for name in ALIKE if name not in {"cohere", "ai21"}])
async def test_openai_s_client_lists_its_models(name: str) -> None:
    """Each model is one of its own type; Cohere lists elsewhere, AI21 not at all."""
    async with FAKES[name]() as server, client_of(server) as client:
        listed = [model async for model in client.models.list()]
        assert [model.id for model in listed] == [model["id"] for model in server.models]
        for model in listed:
            Model.model_validate(model.to_dict())


async def test_openai_s_client_is_turned_away_as_we_are() -> None:
    """A wrong key, an unknown path, a parameter that is not taken."""
    async with FakeOpenAI() as server:
        async with openai.AsyncOpenAI(base_url=server.base, api_key="sk-wrong", max_retries=0) as client:
            with pytest.raises(openai.AuthenticationError) as caught:
                await client.models.list()
            assert caught.value.code == "invalid_api_key"
        async with client_of(server) as client:
            with pytest.raises(openai.NotFoundError):
                await client.models.retrieve("none")
            with pytest.raises(openai.BadRequestError) as refused:
                await client.chat.completions.create(
                    model="o4-mini", messages=messages("x"), max_tokens=5, stream=True
                )
            assert (refused.value.code, refused.value.param) == ("unsupported_parameter", "max_tokens")


KINDS: dict[int, type[openai.APIStatusError]] = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
}
EVERY = [
    (name, row)
    for name, table in {
        "openai": rows.OPENAI,
        "mistral": rows.MISTRAL,
        "cohere": rows.COHERE,
        "ai21": rows.AI21,
        "huggingface": rows.HUGGINGFACE,
        "genspark": rows.GENSPARK,
    }.items()
    for row in table
]


@pytest.mark.parametrize(("name", "refused"), EVERY, ids=lambda one: getattr(one, "label", one))
async def test_openai_s_client_reads_each_refusal(name: str, refused: Refused) -> None:
    """The rows of the table are errors of its own kinds, with the code and the headers that we read too."""
    async with FAKES[name]() as server, client_of(server) as client:
        server.script.append(refused.row)
        with pytest.raises(openai.APIStatusError) as caught:
            await client.chat.completions.create(model="gpt-6", messages=messages("x"), stream=True)
        error = caught.value
        assert error.status_code == refused.row.status
        assert isinstance(error, KINDS.get(refused.row.status, openai.APIStatusError))
        body = refused.row.body
        if isinstance(body, dict) and isinstance(body.get("error"), dict):
            assert error.code == body["error"]["code"]
        for header, value in refused.row.headers.items():
            assert error.response.headers[header] == value


async def test_openai_s_client_sees_an_error_within_the_stream() -> None:
    """After HTTP 200 it raises, as we do."""
    async with FakeOpenAI() as server, client_of(server) as client:
        row = Row(0, {"error": {"message": "overloaded", "type": "server_error", "code": None}})
        server.script.append(Say(("Um",), breaks=row))
        stream = await client.chat.completions.create(model="gpt-6", messages=messages("x"), stream=True)
        with pytest.raises(openai.APIError, match="overloaded"):
            _ = [chunk async for chunk in stream]


# ---------------------------------------------------------------- Anthropic


def of_anthropic(server: FakeVendor) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=server.base, api_key=server.key, max_retries=0)


async def test_anthropic_s_client_streams_from_it() -> None:
    """Events of its own types add up to a message with its reason and both counts."""
    async with FakeAnthropic() as server, of_anthropic(server) as client:
        server.script.append(Say(("Ol", "á"), thoughts=("hm",), tokens=(21, 9)))
        asking = client.messages.stream(
            model="claude-sonnet-5",
            max_tokens=64,
            system="seja breve",
            messages=[{"role": "user", "content": "oi"}],
        )
        async with asking as stream:
            message = await stream.get_final_message()
        assert [block.type for block in message.content] == ["thinking", "text"]
        assert message.content[1].type == "text"
        assert message.content[1].text == "Olá"
        assert message.stop_reason == "end_turn"
        assert message.usage.output_tokens == 9
        assert message.usage.input_tokens + (message.usage.cache_read_input_tokens or 0) == 21


async def test_anthropic_s_client_lists_its_models() -> None:
    """Every page, each model of its own type."""
    async with FakeAnthropic() as server, of_anthropic(server) as client:
        listed = [model async for model in client.models.list(limit=1000)]
        assert [model.id for model in listed] == [model["id"] for model in server.models]
        for model in listed:
            ModelInfo.model_validate(model.to_dict())


@pytest.mark.parametrize("refused", rows.ANTHROPIC, ids=lambda row: row.label)
async def test_anthropic_s_client_reads_each_refusal(refused: Refused) -> None:
    """The rows of the table are errors of its own kinds, 529 among them."""
    async with FakeAnthropic() as server, of_anthropic(server) as client:
        server.script.append(refused.row)
        with pytest.raises(anthropic.APIStatusError) as caught:
            await client.messages.create(
                model="claude-sonnet-5",
                max_tokens=9,
                messages=[{"role": "user", "content": "x"}],
                stream=True,
            )
        error = caught.value
        assert error.status_code == refused.row.status
        assert isinstance(refused.row.body, dict)
        assert error.body == refused.row.body
        if error.status_code == 429:
            assert isinstance(error, anthropic.RateLimitError)
        if error.status_code == 401:
            assert isinstance(error, anthropic.AuthenticationError)


async def test_anthropic_s_client_sees_an_error_within_the_stream() -> None:
    """After HTTP 200 `event: error` raises, as it does here."""
    async with FakeAnthropic() as server, of_anthropic(server) as client:
        body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        server.script.append(Say(("Um",), breaks=Row(0, body)))
        stream = await client.messages.create(
            model="claude-sonnet-5", max_tokens=9, messages=[{"role": "user", "content": "x"}], stream=True
        )
        with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
            _ = [event async for event in stream]


async def test_a_vendor_s_server_tells_what_it_got_and_who_left() -> None:
    """What tests of our client rely on: the journal, the script, the reader who leaves."""
    async with FakeOpenAI() as server, client_of(server) as client:
        stream = await client.chat.completions.create(model="gpt-6", messages=messages("um"), stream=True)
        assert [chunk async for chunk in stream]
        assert server.questions()[0].body["messages"][-1]["content"] == "um"
        assert (server.left, server.gone.is_set(), server.came.is_set()) == (0, False, True)
