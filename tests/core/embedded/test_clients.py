"""The vendors' own clients as oracles: they list, load, answer and unload without knowing the difference."""

import lmstudio
import openai
import pytest

from core.embedded import DEMO_KEY, SCRIPTED_KEY
from core.embedded.server import new_token
from tests.core.embedded.clients import LONG, Client


def openai_of(client: Client, token: str | None = None) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{client.engine.url}/v1", api_key=token or client.engine.token)


def lmstudio_of(client: Client, token: str | None = None) -> lmstudio.AsyncClient:
    host = client.engine.url.removeprefix("http://")
    return lmstudio.AsyncClient(host, api_token=token or client.engine.token)


async def test_openai_lists_and_streams(real: Client) -> None:
    """The official client lists the models, streams an answer with its usage, and gets one whole."""
    async with openai_of(real) as client:
        listed = [m.id async for m in client.models.list()]
        assert listed[0] == DEMO_KEY
        pieces, usage = "", None
        async for chunk in await client.chat.completions.create(
            model=DEMO_KEY,
            messages=[{"role": "user", "content": "Say hello."}],
            max_tokens=8,
            stream=True,
            stream_options={"include_usage": True},
        ):
            pieces += (chunk.choices[0].delta.content or "") if chunk.choices else ""
            usage = chunk.usage or usage
        assert pieces
        assert usage is not None
        assert usage.completion_tokens <= 8
        whole = await client.chat.completions.create(
            model=DEMO_KEY, messages=[{"role": "user", "content": "Say hello."}], max_tokens=4
        )
        assert whole.choices[0].message.content
        assert whole.model == DEMO_KEY


async def test_openai_sees_errors_as_its_own(real: Client) -> None:
    """A wrong token and a wrong model are the client's own exceptions."""
    async with openai_of(real, "sk-lm-aaaaaaaa:bbbbbbbbbbbbbbbbbbbb") as client:
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()
    async with openai_of(real) as client:
        with pytest.raises(openai.BadRequestError, match="Invalid model identifier"):
            await client.chat.completions.create(model="nix", messages=[{"role": "user", "content": "oi"}])


async def test_lmstudio_goes_the_whole_way(real: Client) -> None:
    """List, load with progress, answer, stop, count, unload."""
    steps: list[float] = []
    async with lmstudio_of(real) as client:
        assert DEMO_KEY in [m.model_key for m in await client.list_downloaded_models()]
        model = await client.llm.load_new_instance(DEMO_KEY, on_load_progress=steps.append)
        assert (steps[0], steps[-1]) == (0, 1)
        assert [m.identifier for m in await client.list_loaded_models()] == [DEMO_KEY]
        answer = await model.respond("Say hello.", config={"maxTokens": 8})
        assert answer.content
        assert answer.stats.predicted_tokens_count is not None
        assert answer.stats.predicted_tokens_count <= 8
        stream = await model.respond_stream(LONG)
        async for _ in stream:
            await stream.cancel()
        assert stream.result().stats.stop_reason == "userStopped"
        assert await model.count_tokens("hello world") == 2
        assert "Say hello." in await model.apply_prompt_template("Say hello.")
        assert await model.get_context_length() == 2048
        await model.unload()
        assert await client.list_loaded_models() == []


async def test_lmstudio_gets_or_loads(bare: Client) -> None:
    """The SDK's usual way loads once and reuses."""
    async with lmstudio_of(bare) as client:
        first = await client.llm.model(SCRIPTED_KEY)
        second = await client.llm.model(SCRIPTED_KEY)
        assert first.identifier == second.identifier == SCRIPTED_KEY
        assert "scripted demo" in (await first.respond("oi")).content


async def test_lmstudio_sees_errors_as_its_own(bare: Client) -> None:
    """A wrong token and a wrong key are the SDK's own exceptions."""
    with pytest.raises(lmstudio.LMStudioServerError, match="Authentication failed"):
        async with lmstudio_of(bare, "sk-lm-aaaaaaaa:bbbbbbbbbbbbbbbbbbbb"):
            pass
    async with lmstudio_of(bare) as client:
        with pytest.raises(lmstudio.LMStudioModelNotFoundError):
            await client.llm.model("nix")


def test_the_token_has_lm_studios_form() -> None:
    """The SDK takes only tokens of this form, and no two are the same."""
    tokens = [new_token() for _ in range(2)]
    assert tokens[0] != tokens[1]
    for token in tokens:
        lmstudio.AsyncClient("127.0.0.1:1", api_token=token)
