"""Accounts with a vendor differ in their models: each person sees those of the key that pays for them."""

from pathlib import Path

import pytest

from bot.cards import plain
from core.model import ModelState
from tests.bot.test_assistant_vendors import Market, a_market
from tests.fakes.provider import FakeLoader, a_model

LYNX = a_model("acme/lynx-3b", ModelState.LOADED, name="Lynx 3B")
SECRET = "ft:gpt-6:acme-secret"


def an_account(market: Market, person: str, *names: str) -> None:
    """That person has a key of their own, whose account lists these models."""
    key = f"sk-of-{person}-0123456789abcdef"
    market.servers["openai"].accounts[key] = [
        {"id": name, "object": "model", "created": 1, "owned_by": person} for name in names
    ]
    market.give("openai", person, key)


async def seen(market: Market, person: str) -> set[str]:
    return {row.name for row in (await market.talk.listing("/models gpt", person)).rows}


async def test_an_own_key_brings_its_own_models(tmp_path: Path) -> None:
    """Beside the bot's key: its owner finds and uses them, others do not see them, and no look takes them away."""
    async with a_market(tmp_path, FakeLoader([LYNX]), "openai") as market:
        an_account(market, "ana", "gpt-6", SECRET)
        assert await seen(market, "ana") == {"gpt-6", SECRET}
        assert SECRET not in await seen(market, "bob")
        assert "gpt-5.4" in await seen(market, "bob")
        await market.talk.say(f"/use {SECRET}")
        for _ in range(2):
            assert (await market.talk.reply("oi")).text == "You said: oi"
            await market.talk.engine.catalog.sync()
        assert SECRET in plain(await market.talk.say("/status"))
        assert "Não conheço" in plain(await market.talk.say("/use gpt-5.4")), "not of her account"
        assert "Não conheço" in plain(await market.talk.say(f"/use {SECRET}", "bob"))


@pytest.mark.parametrize("known", [True, False])
async def test_two_accounts_and_none_of_the_bot(tmp_path: Path, known: bool) -> None:  # noqa: FBT001  # a case
    """Each sees the own account's models, also when the program has forgotten whose they were."""
    async with a_market(tmp_path, FakeLoader([LYNX]), "openai") as market:
        market.take("openai")
        await market.talk.engine.catalog.sync()
        an_account(market, "ana", "gpt-6", SECRET)
        an_account(market, "bob", "gpt-6", "gpt-6-mini")
        assert await seen(market, "ana") == {"gpt-6", SECRET}
        if not known:
            market.talk.engine.catalog.accounts.forget("openai")
        assert SECRET not in plain(await market.talk.say("/status", "bob"))
        assert await seen(market, "bob") == {"gpt-6", "gpt-6-mini"}
        assert await seen(market, "ana") == {"gpt-6", SECRET}
        assert await seen(market, "zoe") == set()


async def test_what_no_account_lists_any_more_goes(tmp_path: Path) -> None:
    """A model that its vendor has taken back is dropped with the next look."""
    async with a_market(tmp_path, FakeLoader([LYNX]), "openai") as market:
        an_account(market, "ana", "gpt-6", SECRET)
        assert SECRET in await seen(market, "ana")
        an_account(market, "ana", "gpt-6")
        await market.talk.engine.catalog.forgive()
        assert await seen(market, "ana") == {"gpt-6"}
        await market.talk.engine.catalog.sync()
        assert SECRET not in {model.key for model in market.talk.engine.catalog.models()}
