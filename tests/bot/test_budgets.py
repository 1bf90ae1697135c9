"""Tokens a day: who has used them up is told until when, and what answers all the same."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.cards import Notice, Reply, plain
from core.conversation import Delta, Done, Usage
from core.model import Model, ModelState
from core.people import Role
from tests.bot.checks import buttons, command
from tests.bot.street import Street, street
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeLoader, FakeProvider, a_model, external

NOVA = a_model("acme/nova-8b", ModelState.LOADED, name="Nova 8B")
MINI = external(name="GPT mini")
GUEST = Role.GUEST


class Own(FakeProvider):
    """A vendor for which some have a key of their own."""

    owners: frozenset[str] = frozenset()

    async def serves(self, person: str | None) -> bool:
        del person
        return True

    async def own(self, person: str) -> bool:
        return person in self.owners

    async def models(self, person: str | None = None) -> Sequence[Model]:
        del person
        return await super().models()

    def forget(self) -> None:
        """Nothing is remembered."""


async def spend(there: Street, who: Role, times: int) -> None:
    for _ in range(times):
        assert isinstance(await there.say("hello", who), Reply)


async def test_local_tokens_of_a_day(tmp_path: Path) -> None:
    """Spent is spent, also after a restart; an external model is offered and answers; the next day is new."""
    clock = FakeClock()
    limits: dict[str, Any] = {
        "prefer": "local",
        "guest_tokens_per_day_local": 28,
        "tokens_per_day_local": None,
    }
    async with street(tmp_path, FakeLoader([NOVA]), clock=clock, **limits) as there:
        await spend(there, GUEST, 2)  # 12 + 2 tokens each
        card = await there.say("hello", GUEST)
        assert plain(card).startswith(
            "⏳ Tokens of local models per day: 28. They are used up.\nThere are new ones in "
        )
        await spend(there, Role.MEMBER, 3)
    async with street(tmp_path, FakeLoader([NOVA]), FakeProvider([MINI]), clock=clock, **limits) as there:
        card = await there.say("hello", GUEST)
        assert "Tokens of local models per day: 28" in plain(card)
        assert [button.label for button in buttons(card)] == ["💡 Use gpt-mini and answer"]
        assert isinstance(await there.say(command(card, "gpt-mini"), GUEST), Reply)
        await there.say("/use nova", GUEST)
        await clock.advance(86400)
        await spend(there, GUEST, 1)


async def test_external_tokens_of_a_day(tmp_path: Path) -> None:
    """The local model is offered then; whoever pays with an own key has no limit there."""
    api = Own([MINI])
    limits: dict[str, Any] = {"guest_tokens_per_day_external": 14}
    async with street(tmp_path, api, FakeLoader([NOVA]), **limits) as there:
        await spend(there, GUEST, 1)
        card = await there.say("hello", GUEST)
        assert "Tokens of external APIs per day: 14. They are used up." in plain(card)
        assert isinstance(card, Notice)
        assert [button.label for button in buttons(card)] == ["💡 Use nova-8b and answer"]
        api.owners = frozenset({there.incoming("", GUEST).who})
        await spend(there, GUEST, 3)


async def test_who_stops_an_answer_has_used_it(tmp_path: Path) -> None:
    """Without the server's count the prompt and what had come are estimated: stopping early is no way around."""
    loader = FakeLoader([NOVA])
    loader.answers = [(Delta("word " * 300), asyncio.Event())]
    async with street(tmp_path, loader, guest_tokens_per_day_local=400) as there:
        said = there.incoming("hello", GUEST)
        cards = there.assistant.respond(said)
        async for card in cards:
            if isinstance(card, Reply) and "word" in card.text:
                break
        await cards.aclose()  # type: ignore[attr-defined]  # every async generator has it
        used = await there.engine.access.spending.today(said.who, external=False)
        assert 400 < used < 700
        assert "They are used up" in plain(await there.say("hello", GUEST))


async def test_what_the_server_counts_is_counted(tmp_path: Path) -> None:
    """Its figures where it gives them, an estimate where it gives none; a stop while it reads costs the prompt."""
    loader = FakeLoader([NOVA])
    loader.answers = [
        (Delta("x"), Done("stop", Usage(1000, 234))),
        (Delta("x" * 30), Done("stop")),
        (asyncio.Event(),),
    ]
    async with street(tmp_path, loader) as there:
        spending, who = there.engine.access.spending, there.incoming("", Role.MEMBER).who
        await there.say("hello", Role.MEMBER)
        assert await spending.today(who, external=False) == 1234
        await there.say("/new", Role.MEMBER)
        await there.say("y" * 300, Role.MEMBER)
        after = await spending.today(who, external=False)
        assert 1234 + 110 <= after <= 1234 + 130
        task = asyncio.ensure_future(there.say("z" * 3000, Role.MEMBER))
        while len(loader.asked) < 3:  # noqa: ASYNC110  # the fake has no bell
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await spending.today(who, external=False) > after + 1000


async def test_administrators_see_it(tmp_path: Path) -> None:
    """In the list what each has used today, with a person also the limits; administrators have none."""
    async with street(tmp_path, FakeLoader([NOVA])) as there:
        await spend(there, GUEST, 1)
        await spend(there, Role.ADMINISTRATOR, 2)
        shown = plain(await there.say("/people", Role.ADMINISTRATOR))
        assert "Gil — guest · telegram:11 · here just now · tokens today: 14 local, 0 external" in shown
        one = plain(await there.say("/people telegram:11", Role.ADMINISTRATOR))
        assert "limits: 1000 messages a minute; tokens a day: 50000 local, 10000 external" in one
        assert "limits" not in plain(await there.say("/people telegram:13", Role.ADMINISTRATOR))
        member = plain(await there.say("/people telegram:12", Role.ADMINISTRATOR))
        assert "tokens a day: any number of local, any number of external" in member
