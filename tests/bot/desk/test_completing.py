"""What may follow a command, as it is typed: the best first, each model once, in the reader's language."""

from pathlib import Path

from bot.cards import Notice
from bot.desk.keywords import order_of
from bot.platforms.discord.menu import LONGEST
from bot.surface import Completion, Incoming
from core.conversation import ChatRef
from core.model import ModelState
from core.people import Role, Visitor
from tests.bot.street import CHIEF, street
from tests.bot.talk import Talk, talking
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeLoader, FakeProvider, a_model, external

BIG = a_model(
    "acme/qwen2.5-vl-7b-instruct", ModelState.LOADED, name="Qwen2.5 VL 7B Instruct", host="pc:1", params="7B",
    quant="Q4_K_M", size_bytes=5_000_000_000, max_context=131_072, vision=True, tools=True,
)  # fmt: skip


async def complete(
    talk: Talk, prefix: str, command: str = "use", language: str | None = None
) -> list[Completion]:
    asker = Incoming(ChatRef("console", "ana"), "ana", "", language=language)
    return list(await talk.assistant.complete(command, prefix, asker))


async def test_mark_name_and_host_are_never_cut(tmp_path: Path) -> None:
    """A label is cut at a hundred characters on Discord: what tells models apart stands before that."""
    async with talking(tmp_path, FakeLoader([BIG], host="pc:1"), clock=FakeClock()) as talk:
        (found,) = await complete(talk, "qwen")
    label = f"{found.label} — {found.detail}"[: LONGEST - 1]
    assert label.startswith("✓ Qwen2.5 VL 7B Instruct — pc:1")


async def test_a_model_on_two_hosts_is_offered_once(tmp_path: Path) -> None:
    """With both hosts; choosing one of them is not the reader's business."""
    one = FakeLoader([a_model(host="pc:1")], host="pc:1")
    two = FakeLoader([a_model(host="pc:2")], host="pc:2")
    async with talking(tmp_path, one, two, clock=FakeClock()) as talk:
        (found,) = await complete(talk, "nova")
    assert "pc:1" in found.detail
    assert "pc:2" in found.detail


async def test_the_best_first(tmp_path: Path) -> None:
    """What is meant exactly, then what begins so, by key or name or after the publisher, then what has all the words."""
    keys = ["acme/my-qwen", "qwen-8b-long", "zeta/qwen-3b", "qwen", "acme/fine-qwen-8b"]
    async with talking(tmp_path, FakeLoader([a_model(key) for key in keys]), clock=FakeClock()) as talk:
        assert [one.value for one in await complete(talk, "qwen")] == [
            "qwen", "qwen-8b-long", "zeta/qwen-3b", "acme/fine-qwen-8b", "acme/my-qwen",
        ]  # fmt: skip
        assert [one.value for one in await complete(talk, "8b qwen")] == ["acme/fine-qwen-8b", "qwen-8b-long"]
        assert await complete(talk, "xyz") == []


async def test_in_the_readers_language(tmp_path: Path) -> None:
    """Not in the one of the settings."""
    model = a_model(size_bytes=5_100_000_000)
    async with talking(tmp_path, FakeLoader([model]), clock=FakeClock()) as talk:
        assert "5.1 GB" in (await complete(talk, "", language="en-US"))[0].detail
        assert "5,1 GB" in (await complete(talk, "", language="pt-BR"))[0].detail


async def test_choices_of_a_command(tmp_path: Path) -> None:
    """/stats offers everything beside the models, to whoever may see it."""
    async with talking(tmp_path, FakeLoader([a_model()]), clock=FakeClock(), access="open") as talk:
        assert [one.value for one in await complete(talk, "", "stats", "en-US")] == ["all", "acme/nova-8b"]
        assert [one.value for one in await complete(talk, "", "stats")] == ["tudo", "acme/nova-8b"]
        assert [one.value for one in await complete(talk, "al", "stats")] == ["all"]
        assert [one.value for one in await complete(talk, "nov", "stats")] == ["acme/nova-8b"]
        guest = Incoming(ChatRef("telegram", "5"), "telegram:5", "")
        seen = await talk.assistant.complete("stats", "", guest)
        assert [one.value for one in seen] == ["acme/nova-8b"]
        assert [one.value for one in await complete(talk, "", "system")] == ["-"]
        assert await complete(talk, "seja", "system") == []
        assert [one.value for one in await complete(talk, "engl", "lang")] == ["en"]
        assert [one.value for one in await complete(talk, "p", "lang")] == ["pt-BR"]


async def test_what_is_done_with_a_key(tmp_path: Path) -> None:
    """Verbs in the reader's language, or as they were begun; `shared` for administrators; all of it is understood."""
    api = FakeProvider([external(provider="openai")], name="openai")
    async with talking(tmp_path, api, clock=FakeClock(), access="open") as talk:

        async def offered(typed: str, language: str | None = None) -> list[str]:
            return [one.value for one in await complete(talk, typed, "key", language)]

        assert await offered("") == ["definir openai", "testar openai", "esquecer openai"]
        assert await offered("", "en-US") == ["set openai", "test openai", "forget openai"]
        assert await offered("esq") == ["esquecer openai"]
        assert await offered("SET o") == ["set openai"]
        assert await offered("definir openai ") == ["definir openai compartilhada"]
        assert await offered("set openai s", "en-US") == ["set openai shared"]
        assert await offered("give") == [], "a word of ours, not of people's"
        assert await offered("definir openai sk-12") == []
        guest = Incoming(ChatRef("telegram", "5"), "telegram:5", "")
        assert await talk.assistant.complete("key", "definir openai ", guest) == []
        for line in await offered(""):
            assert order_of(line, ["openai"]).vendor == "openai"
        assert order_of("definir openai compartilhada", ["openai"]).shared


async def test_people_and_what_they_may_become(tmp_path: Path) -> None:
    """Whoever waits comes first, by name or id; after that one the roles, in the reader's language; only for administrators."""
    group = ("telegram:-100",)
    async with street(tmp_path) as people:
        await people.engine.access.knock(Visitor("telegram:777", "Zoe"))
        await people.engine.access.decide("telegram:-200", Role.MEMBER, "Turma", CHIEF)
        asker = people.incoming("", Role.ADMINISTRATOR, groups=group, private=False)

        async def offered(command: str, typed: str, who: Incoming = asker) -> list[str]:
            return [one.value for one in await people.assistant.complete(command, typed, who)]

        assert (await offered("allow", ""))[0] == "telegram:777"
        assert "here" in await offered("allow", "")
        assert await offered("allow", "zoe") == ["telegram:777"]
        assert await offered("allow", "telegram:777 ") == [
            "telegram:777 administrator",
            "telegram:777 member",
            "telegram:777 guest",
        ]
        assert (await offered("allow", "telegram:777"))[0] == "telegram:777"
        assert await offered("allow", "telegram:777 gu") == ["telegram:777 guest"]
        assert await offered("allow", "telegram:-200 ") == ["telegram:-200 member", "telegram:-200 guest"]
        portuguese = people.incoming("", Role.ADMINISTRATOR, language="pt-BR")
        assert await offered("allow", "telegram:777 con", portuguese) == ["telegram:777 convidado"]
        assert await offered("allow", "telegram:777 gu", portuguese) == ["telegram:777 guest"]
        assert "esquecer telegram:-200" in await offered("people", "esq", portuguese)
        assert "forget telegram:-200" in await offered("people", "for", portuguese)
        assert await offered("deny", "turma") == ["telegram:-200"]
        assert await offered("people", "forget") == await offered("people", "forget ")
        assert "forget telegram:-200" in await offered("people", "forget ")
        assert "forget telegram:777" not in await offered("people", "forget ")
        assert f"forget {CHIEF}" not in await offered("people", "forget "), "the setting says so"
        assert await offered("allow", "", people.incoming("", Role.MEMBER)) == []
        for command, typed in (("allow", "telegram:777 gu"), ("people", "forget telegram:-2")):
            [line] = await offered(command, typed)
            assert isinstance(await people.say(f"/{command} {line}", Role.ADMINISTRATOR), Notice)
        found = {grant.who: grant.role for grant in people.engine.access.grants()}
        assert found["telegram:777"] is Role.GUEST
        assert "telegram:-200" not in found
