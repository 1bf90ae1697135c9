"""The commands about models: list and choose."""

from pathlib import Path

import pytest

from bot.cards import Choice, Listing, Notice, Reply, Tone, is_error, plain
from bot.desk import picking
from core.errors import LoadFailed, Unauthorized, Unreachable
from core.model import Failure, FailureKind, ModelState
from tests.bot.checks import buttons, command
from tests.bot.talk import talking
from tests.fakes.provider import FakeLoader, FakeProvider, a_model

NOVA = a_model("acme/nova-8b", name="Nova 8B", family="nova")
LYNX = a_model("zeta/lynx-3b", ModelState.LOADED, name="Lynx 3B", family="lynx")
SCRIPTED = a_model("scripted-echo", by_name_only=True)

HOSTS = ("pc:1", "pc:2")


def many(n: int) -> FakeLoader:
    return FakeLoader([a_model(f"acme/model-{i:02d}") for i in range(n)])


# ---------------------------------------------------------------- /models


async def test_models_shows_each_with_its_state(tmp_path: Path) -> None:
    """A mark, what is known, why it is inactive, and which one this chat uses; a tap chooses."""
    broken = a_model("b", ModelState.INACTIVE, failure=Failure(FailureKind.CRASHED, "exit 6", 0.0))
    host = FakeLoader([NOVA, LYNX, broken])
    async with talking(tmp_path, host, FakeProvider()) as talk:
        await talk.say("/use lynx")
        listing = await talk.listing("/models")
    rows = {row.name: row for row in listing.rows}
    marks = {name: row.mark for name, row in rows.items()}
    assert marks == {"gpt-mini": "🌐", LYNX.key: "✓", NOVA.key: "💤", "b": "❌"}
    assert [name for name, row in rows.items() if row.current] == [LYNX.key]
    assert "O modelo caiu ao carregar." in rows["b"].note
    assert f"#{NOVA.tag}" in rows[NOVA.key].detail
    assert buttons(listing)[0].command == f"use {rows['gpt-mini'].detail.split()[-1]}"


async def test_models_looks_at_the_hosts(tmp_path: Path) -> None:
    """The list shows how things stand now, not at the last sync."""
    host = FakeLoader([NOVA])
    async with talking(tmp_path, host) as talk:
        host.put(NOVA.key, ModelState.LOADED)
        assert (await talk.listing("/models")).rows[0].mark == "✓"


async def test_models_with_a_filter(tmp_path: Path) -> None:
    """Every word must be in the key, the name or the host; nothing found is said."""
    async with talking(tmp_path, FakeLoader([NOVA, LYNX])) as talk:
        assert [r.name for r in (await talk.listing("/modelos 3B lynx")).rows] == [LYNX.key]
        assert len((await talk.listing("/models fake:1")).rows) == 2
        none = await talk.listing("/models xyz")
        assert none.rows == ()
        assert "Nenhum modelo com “xyz”." in plain(none)


async def test_models_by_pages(tmp_path: Path) -> None:
    """Twenty a page; the buttons turn it and keep the filter; a page too far is the last one."""
    async with talking(tmp_path, many(45)) as talk:
        first = await talk.listing("/models")
        assert (len(first.rows), first.page, first.pages) == (20, 1, 3)
        assert "página 1 de 3" in first.title
        second = await talk.say(command(first, "Próxima"))
        assert isinstance(second, Listing)
        assert second.page == 2
        assert (await talk.listing("/models 99")).page == 3
        assert (await talk.listing("/models 0")).page == 1
        filtered = await talk.listing("/models model 2")
        assert (filtered.page, filtered.pages) == (2, 3)
        assert command(filtered, "Anterior") == "/models model p1"
        assert command(filtered, "Próxima") == "/models model p3"


async def test_a_long_filter_still_fits_a_button(tmp_path: Path) -> None:
    """Turning a page never needs more than a button holds."""
    async with talking(tmp_path, many(45)) as talk:
        listing = await talk.listing("/models " + "model " * 30)
        assert listing.pages == 3  # `listing` also checks that every button fits


async def test_what_is_chosen_by_name_only_is_not_listed(tmp_path: Path) -> None:
    """A script is not offered among the models, but is shown to who uses it."""
    async with talking(tmp_path, FakeLoader([NOVA, SCRIPTED])) as talk:
        assert [r.name for r in (await talk.listing("/models")).rows] == [NOVA.key]
        await talk.say("/use scripted-echo")
        assert SCRIPTED.key in [r.name for r in (await talk.listing("/models")).rows]
        assert [c.value for c in await talk.assistant.complete("use", "", talk.asker())] == [NOVA.key]


# ---------------------------------------------------------------- /use


async def test_use_says_how_the_model_stands(tmp_path: Path) -> None:
    """Loaded, sleeping with a button to load it now, or external."""
    async with talking(tmp_path, FakeLoader([NOVA, LYNX]), FakeProvider()) as talk:
        assert "Ele já está carregado." in plain(await talk.say("/use lynx"))
        sleeping = await talk.say("/use nova")
        assert command(sleeping, "Carregar agora") == f"/load #{NOVA.tag}"
        assert plain(await talk.say("/use gpt-mini")) == '✅ Agora uso "gpt-mini" nesta conversa.'


async def test_use_of_an_inactive_model_warns(tmp_path: Path) -> None:
    """It is chosen all the same, with its reason and a way to try it."""
    host = FakeLoader([NOVA])
    host.loads[NOVA.key] = [(LoadFailed(NOVA, FailureKind.CRASHED),)]
    async with talking(tmp_path, host) as talk:
        await talk.say("/load nova")
        card = await talk.say("/use nova")
        assert isinstance(card, Notice)
        assert card.tone is Tone.WARNING
        assert "Atenção: ele está inativo. O modelo caiu ao carregar." in card.body
        assert command(card, "Tentar de novo") == f"/load #{NOVA.tag}"


@pytest.mark.parametrize("problem", [Unreachable("fake:1"), Unauthorized("fake:1", token_set=True)])
async def test_use_of_a_model_whose_host_is_away(tmp_path: Path, problem: Unreachable | Unauthorized) -> None:
    """The choice is kept, and the card says both that and what is wrong with the host."""
    host = FakeLoader([NOVA])
    async with talking(tmp_path, host) as talk:
        host.problem = problem
        card = await talk.say("/use nova")
        assert isinstance(card, Notice)
        assert card.tone is Tone.WARNING
        assert card.title == '✅ Agora uso "Nova 8B" nesta conversa.'
        assert "fake:1" in card.body
        host.problem = None
        assert isinstance(await talk.say("oi"), Reply)


async def test_use_without_a_name_asks(tmp_path: Path) -> None:
    """The usable models as buttons."""
    async with talking(tmp_path, FakeLoader([NOVA, LYNX, SCRIPTED])) as talk:
        card = await talk.say("/use")
        assert isinstance(card, Choice)
        assert {b.command for b in card.options} == {f"use #{LYNX.tag}", f"use #{NOVA.tag}"}


@pytest.mark.parametrize(
    "line", ["/use", "/use nova", "/unload nova", "/load nova", "/models", "/suggest", "/start", "oi"]
)
async def test_commands_wait_for_the_first_look(tmp_path: Path, line: str) -> None:
    """Right after the start nothing is known yet: the command waits instead of finding nothing."""
    host = FakeLoader([NOVA])
    async with talking(tmp_path, host) as talk:
        await talk.engine.store.save_models([], [NOVA.id])
        talk.engine.catalog._models.clear()
        talk.engine.catalog.settled.clear()
        said = talk.begin(line)
        await said.until("Procurando modelos")
        await talk.engine.catalog.sync()
        talk.engine.catalog.settled.set()
        assert not is_error(await said.last())
        assert "nova-8b" in str(said.cards).lower().replace("nova 8b", "nova-8b")


async def test_a_first_look_that_takes_too_long_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that hangs does not keep the others from being used."""
    monkeypatch.setattr(picking, "PATIENCE", 0.01)
    async with talking(tmp_path, FakeLoader([LYNX])) as talk:
        talk.engine.catalog.settled.clear()
        assert (await talk.reply("oi")).text == "Certainly."


async def test_the_same_name_of_two_models(tmp_path: Path) -> None:
    """Wherever models are offered, equal names on two hosts are told apart by them."""
    twins = [
        FakeLoader([a_model(f"{host[:2]}{n}/nova", host=host)], host=host) for n, host in enumerate(HOSTS)
    ]
    async with talking(tmp_path, *twins) as talk:
        labels = [b.label for b in (await talk.say("/use")).buttons]
        assert labels == ["💤 nova · pc:1", "💤 nova · pc:2"]
        labels = [b.label for b in (await talk.say("/suggest")).buttons]
        assert labels == ["💡 Usar nova · pc:1", "💡 Usar nova · pc:2"]


async def test_one_model_on_two_hosts(tmp_path: Path) -> None:
    """It is offered once."""
    twins = [FakeLoader([a_model("nova", host=host)], host=host) for host in HOSTS]
    async with talking(tmp_path, *twins) as talk:
        assert [b.label for b in (await talk.say("/use")).buttons] == ["💤 nova"]
