"""What each vendor lists, and how its keys are checked."""

import pytest
from pydantic import SecretStr

from core import errors
from core.errors import ApiProblem, ApiUnreachable, KeyMissing, KeyRejected, NoMoney, Overloaded
from core.model import ModelState
from core.providers.api.models import AGAIN, FRESH
from tests.core.providers.api.lab import FAKES, a_lab
from tests.fakes.clock import FakeClock
from tests.fakes.vendors.alike import FakeHuggingFace, FakeServer
from tests.fakes.vendors.script import Row, Say

# Chat models alone, favourites first, then the newest.
LISTED = {
    "openai": ["gpt-6", "gpt-5.4", "gpt-6-mini", "o4-mini"],
    "anthropic": ["claude-sonnet-5", "claude-sonnet-4-5", "claude-haiku-5", "claude-blind-1"],
    "google": ["gemini-3-flash", "gemini-3-pro"],
    "genspark": ["claude-sonnet-5", "gpt-6", "gemini-3-flash"],
    "mistral": ["mistral-medium-latest", "mistral-small-latest", "mistral-large-2512"],
    "huggingface": ["openai/gpt-oss-120b", "Qwen/Qwen3-VL-32B-Instruct", "acme/tiny-chat"],
    "cohere": ["command-a-03-2025", "command-a-vision-07-2025", "command-r7b-12-2024"],
    "ai21": ["jamba-large", "jamba-mini"],
    "own": ["acme/own-7b"],
}
CONTEXTS = {
    "openai": None,
    "anthropic": 200_000,
    "google": 1_048_576,
    "genspark": None,
    "mistral": 131_072,
    "huggingface": 131_072,
    "cohere": 288_000,
    "ai21": None,
    "own": 32_768,
}
SEES = {
    "gpt-6", "gpt-5.4", "gpt-6-mini", "o4-mini", "claude-sonnet-5", "claude-sonnet-4-5", "claude-haiku-5",
    "gemini-3-flash", "gemini-3-pro", "mistral-medium-latest", "mistral-small-latest",
    "Qwen/Qwen3-VL-32B-Instruct", "command-a-vision-07-2025",
}  # fmt: skip


@pytest.mark.parametrize("name", FAKES)
async def test_chat_models_favourites_first(name: str) -> None:
    """Every page is read; what cannot chat is left out; contexts and eyes as the vendor tells them."""
    async with a_lab(name) as lab:
        models = await lab.api.models()
        assert [m.key for m in models] == LISTED[name]
        assert [m.rank for m in models] == list(range(len(models)))
        assert {m.state for m in models} == {ModelState.EXTERNAL}
        assert {(m.provider, m.host) for m in models} == {(name, "")}
        assert models[0].max_context == CONTEXTS[name]
        assert {m.key for m in models if m.vision} == SEES & set(LISTED[name])


@pytest.mark.parametrize("name", FAKES)
async def test_a_good_key_is_accepted(name: str) -> None:
    """However this vendor tells it."""
    async with a_lab(name) as lab:
        await lab.api.check()
        await lab.api.check(SecretStr(lab.server.key) if lab.vendor.needs_key else None)


@pytest.mark.parametrize("name", [name for name in FAKES if name != "own"])
async def test_a_bad_key_is_rejected(name: str) -> None:
    """Even where the listing is public; and no text carries the key."""
    async with a_lab(name) as lab:
        with pytest.raises(KeyRejected) as caught:
            await lab.api.check(SecretStr("sk-canary-0123456789abcdef"))
        assert caught.value.own
        assert "canary" not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
        lab.keys[None] = None
        with pytest.raises(KeyMissing):
            await lab.api.check()


@pytest.mark.parametrize("name", ["genspark", "ai21"])
async def test_a_key_is_tried_by_a_short_chat(name: str) -> None:
    """Where a listing proves nothing; out of money is told as such, an empty answer proves nothing either way."""
    async with a_lab(name) as lab:
        await lab.api.check()
        (asked,) = lab.server.questions()
        assert asked.body["max_tokens"] == 16
        lab.server.script.append(Row(402, {"error": {"message": "no credits", "type": "billing"}}))
        with pytest.raises(NoMoney):
            await lab.api.check()
        lab.server.script.append(Say(()))
        await lab.api.check()


@pytest.mark.parametrize(
    "broken",
    [
        Row(401, {"error": {"message": "Unauthorized", "type": "authentication_error"}}),
        Row(400, {"error": {"message": "Model is not allowed"}}),
    ],
)
async def test_one_broken_model_does_not_condemn_a_key(broken: Row) -> None:
    """The next one is asked; where none answers, what the last one said is told."""
    async with a_lab("genspark") as lab:
        lab.server.script.append(broken)
        await lab.api.check()
        assert len({asked.body["model"] for asked in lab.server.questions()}) == 2
        lab.server.script += [broken] * 9
        with pytest.raises(ApiProblem):
            await lab.api.check()


async def test_an_open_listing_proves_nothing() -> None:
    """A server that lists its models to everybody is asked for a word; one that guards its listing is not."""
    async with a_lab("own", needs_key=True) as lab:
        assert isinstance(lab.server, FakeServer)
        lab.server.guarded = True
        with pytest.raises(KeyRejected):
            await lab.api.check(SecretStr("sk-canary-0123456789abcdef"))
        await lab.api.check(SecretStr(lab.server.key))
        assert lab.server.questions() == [], "its listing is enough"
        lab.server.lists_openly = True
        with pytest.raises(KeyRejected):
            await lab.api.check(SecretStr("sk-canary-0123456789abcdef"))
        await lab.api.check(SecretStr(lab.server.key))
        assert len(lab.server.questions()) == 2


async def test_eyes_by_name_where_a_server_tells_names_alone() -> None:
    """Pictures can be sent to what is called as models with eyes are."""
    async with a_lab("own") as lab:
        names = [
            "llava:13b",
            "qwen3-vl:8b",
            "gpt-4o",
            "llama3.2-vision:11b",
            "gemma3:4b",
            "qwen3:8b",
            "llama3.1",
        ]
        lab.server.models = [{"id": name, "object": "model", "created": 1} for name in names]
        assert {m.key for m in await lab.api.models() if m.vision} == set(names[:5])


async def test_a_blocked_genspark_account_is_found_by_its_words() -> None:
    """It lists models and answers 200."""
    async with a_lab("genspark") as lab:
        lab.server.script.append(Say(("This account is not permitted to use the Genspark API. Sorry.",)))
        with pytest.raises(KeyRejected, match="not permitted"):
            await lab.api.check()


async def test_a_token_of_hugging_face_needs_its_permission() -> None:
    """A fine-grained token without the permission for Inference Providers is told beforehand."""
    async with a_lab("huggingface") as lab:
        assert isinstance(lab.server, FakeHuggingFace)
        lab.server.permissions = ["repo.content.read"]
        with pytest.raises(KeyRejected, match="inference"):
            await lab.api.check()


async def test_a_listing_is_remembered_for_a_while() -> None:
    """It is asked for again after a quarter of an hour, for another key, and when it shall be forgotten."""
    async with a_lab("openai") as lab:
        clock = FakeClock()
        lab.api._shelf._clock = clock
        for _ in range(3):
            await lab.api.models()
        assert len(lab.server.asked) == 1
        await clock.advance(FRESH)
        await lab.api.models()
        lab.api.forget()
        await lab.api.models()
        assert len(lab.server.asked) == 3


async def test_an_outage_of_the_listing_hides_nothing() -> None:
    """503 for the listing keeps what is known; a rejected key is told, and tried again soon."""
    async with a_lab("openai") as lab:
        clock = FakeClock()
        lab.api._shelf._clock = clock
        known = await lab.api.models()
        lab.server.listings += [Row(503, "gone"), Row(401, {"error": {"message": "bad"}})]
        await clock.advance(FRESH)
        assert await lab.api.models() == known
        await clock.advance(AGAIN)
        for _ in range(2):
            with pytest.raises(KeyRejected):
                await lab.api.models()
        await clock.advance(AGAIN)
        assert await lab.api.models() == known
        assert len(lab.server.asked) == 4


async def test_an_empty_listing_hides_nothing() -> None:
    """A foreign page with status 200 in place of a listing keeps what is known, and is soon asked again."""
    async with a_lab("openai") as lab:
        clock = FakeClock()
        lab.api._shelf._clock = clock
        known = await lab.api.models()
        whole, lab.server.models = lab.server.models, []
        await clock.advance(FRESH)
        assert await lab.api.models() == known
        lab.server.models = whole[:2]
        await clock.advance(AGAIN)
        assert [model.key for model in await lab.api.models()] == ["gpt-6"]


async def test_a_listing_that_never_worked() -> None:
    """Without anything known the reason is told."""
    async with a_lab("mistral") as lab:
        lab.server.listings += [
            Row(503, "gone"),
            Row(404, {"detail": "Not Found"}),
            Row(400, {"detail": "?"}),
        ]
        for kind in (Overloaded, ApiUnreachable, ApiProblem):
            with pytest.raises(kind):
                await lab.api.models()
            lab.api.forget()


async def test_hundreds_of_models_are_listed() -> None:
    """No page is lost, and a listing without an end ends."""
    async with a_lab("anthropic") as lab:
        one = lab.server.models[0]
        lab.server.models = [{**one, "id": f"claude-{n:03}"} for n in range(99)]
        assert len(await lab.api.models()) == 99


async def test_an_account_s_models_are_its_own() -> None:
    """Each key has a listing of its own."""
    async with a_lab("openai") as lab:
        lab.keys["telegram:42"] = SecretStr("sk-other-0123456789")
        await lab.api.models()
        with pytest.raises(errors.KeyRejected) as caught:
            await lab.api.models("telegram:42")
        assert caught.value.own
        assert [m.key for m in await lab.api.models()] == LISTED["openai"]
