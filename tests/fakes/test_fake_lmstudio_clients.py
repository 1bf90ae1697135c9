"""The vendors' own clients against the fake: `lmstudio` on the WebSockets, `openai` on /v1."""

import asyncio
import os

import lmstudio
import openai
import pytest

from tests.fakes.asking import EMBED, MINI, NOVA, TOKEN, lab
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches


async def test_sdk_lists_loads_responds_unloads() -> None:
    """With a token: list, load with progress, respond, see it loaded, unload."""
    async with lab(switches=Switches(token=TOKEN)) as (server, _):
        async with lmstudio.AsyncClient(f"127.0.0.1:{server.port}", TOKEN) as client:
            downloaded = [model.model_key for model in await client.list_downloaded_models()]
            progress: list[float] = []
            model = await client.llm.load_new_instance(
                NOVA, "mine", config={"contextLength": 2048}, on_load_progress=progress.append
            )
            result = await model.respond("hello")
            loaded = [handle.identifier for handle in await client.llm.list_loaded()]
            context = await model.get_context_length()
            await model.unload()
            left = await client.llm.list_loaded()
        assert server.count("warning_sent") == 0
    assert downloaded == [NOVA, MINI, EMBED]
    assert progress == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert result.content == "Nova 8B heard 1 message(s). You said: hello"
    assert result.stats.stop_reason == "eosFound"
    assert (loaded, context, left) == (["mine"], 2048, [])


async def test_sdk_streams_from_a_model_got_or_loaded() -> None:
    """`model()` loads once and reuses; a response streams fragment by fragment."""
    async with lab() as (server, _):
        async with lmstudio.AsyncClient(f"127.0.0.1:{server.port}") as client:
            await client.llm.model(MINI)
            model = await client.llm.model(MINI)
            fragments = [fragment.content async for fragment in await model.respond_stream("hey")]
            config = await model.get_load_config()
            tokens = (await model.count_tokens("12345678"), len(await model.tokenize("12345678")))
            prompt = await model.apply_prompt_template("x")
        assert server.count("load_started") == 1
        assert server.instances()[0].ttl == 3600
    assert "".join(fragments) == "Mini 1B heard 1 message(s). You said: hey"
    assert len(fragments) == 8
    assert config.context_length == 4096
    assert tokens == (2, 2)
    assert prompt.endswith("<|assistant|>\n")


async def test_sdk_cancels() -> None:
    """A response cancelled by the SDK stops the generation and still has a result."""
    model = FakeModel("a/one", reply="one two three", hold_reply=asyncio.Event())
    async with lab(model, loaded=["a/one"]) as (server, _):
        async with lmstudio.AsyncClient(f"127.0.0.1:{server.port}") as client:
            stream = await (await client.llm.model("a/one")).respond_stream("x")
            async for _ in stream:
                await stream.cancel()
        assert server.count("generation_stopped") == 1
    assert stream.result().stats.stop_reason == "userStopped"


async def test_sdk_sees_errors() -> None:
    """Failures arrive as the SDK's own exceptions: unknown model, failed load, refused token."""
    async with lab(FakeModel("a/one", load_error="boom")) as (server, _):
        async with lmstudio.AsyncClient(f"127.0.0.1:{server.port}") as client:
            with pytest.raises(lmstudio.LMStudioModelNotFoundError):
                await client.llm.load_new_instance("a/none")
            with pytest.raises(lmstudio.LMStudioServerError, match="boom"):
                await client.llm.load_new_instance("a/one")
        server.switches.token = TOKEN
        with pytest.raises(lmstudio.LMStudioServerError, match="Authentication failed"):
            async with lmstudio.AsyncClient(f"127.0.0.1:{server.port}"):
                pass


async def test_sdk_embeds() -> None:
    """The embedding namespace loads an embedding model and embeds."""
    async with lab() as (server, _), lmstudio.AsyncClient(f"127.0.0.1:{server.port}") as client:
        model = await client.embedding.model(EMBED)
        assert len(await model.embed("hello")) == 8


async def test_synchronous_sdk() -> None:
    """The SDK's synchronous client, on its own thread, works as well."""

    def respond(server: FakeLMStudio) -> str:
        with lmstudio.Client(f"127.0.0.1:{server.port}") as client:
            return client.llm.model(MINI).respond("sync").content

    async with lab() as (server, _):
        assert (await asyncio.to_thread(respond, server)).endswith("You said: sync")


def _openai(server: FakeLMStudio) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=TOKEN, max_retries=0)


async def test_openai_lists_and_completes() -> None:
    """The OpenAI client, with a token: the list, one answer, a stream with its usage."""
    async with lab(switches=Switches(token=TOKEN)) as (server, _), _openai(server) as client:
        names = [model.id async for model in await client.models.list()]
        plain = await client.chat.completions.create(model=MINI, messages=[{"role": "user", "content": "hi"}])
        chunks = [
            chunk
            async for chunk in await client.chat.completions.create(
                model=MINI,
                messages=[{"role": "user", "content": "hi"}],
                stream=True,
                stream_options={"include_usage": True},
            )
        ]
        vectors = await client.embeddings.create(model=EMBED, input="hello", encoding_format="float")
    said = "Mini 1B heard 1 message(s). You said: hi"
    assert names == [NOVA, MINI, EMBED]
    assert (plain.choices[0].message.content, plain.model) == (said, MINI)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == said
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 8
    assert len(vectors.data[0].embedding) == 8


async def test_openai_sees_errors() -> None:
    """A streamed failure is an APIError, an unstreamed one a BadRequestError, no token a 401."""
    too_long = "x" * 50_000
    async with lab(loaded=[MINI]) as (server, _), _openai(server) as client:
        with pytest.raises(openai.BadRequestError):
            await client.chat.completions.create(model=MINI, messages=[{"role": "user", "content": too_long}])
        with pytest.raises(openai.APIError, match="number of tokens to keep"):
            async for _ in await client.chat.completions.create(
                model=MINI, messages=[{"role": "user", "content": too_long}], stream=True
            ):
                pass
        server.switches.token = TOKEN.swapcase()
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()


def test_no_token_of_the_environment_is_in_play() -> None:
    """The SDK reads a token from the environment: these tests must not depend on one."""
    assert "LMSTUDIO_API_TOKEN" not in os.environ
