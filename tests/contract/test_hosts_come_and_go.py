"""Hosts that die, come back, or have no room: where a message goes."""

from pathlib import Path

from tests.contract.person import person
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel, Switches

NOVA = "acme/nova-8b"
MINI = "acme/mini-1b"
GB = 10**9


async def test_a_host_that_comes_back_is_used_again(tmp_path: Path) -> None:
    """Both hosts die one after the other; whichever is back answers, without a restart."""
    async with (
        FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as one,
        FakeLMStudio([FakeModel(NOVA)]) as two,
        person(tmp_path, one, two) as ana,
    ):
        assert "You said: a" in await ana.says("a")
        await one.kill()
        assert "You said: b" in await ana.says("b")
        assert two.count("generation_finished") == 1
        await two.kill()
        assert "não está disponível" in await ana.says("c")
        await one.start()
        assert "You said: d" in await ana.says("d")
        assert one.count("generation_finished") == 2


async def test_a_host_known_to_be_away_does_not_delay_the_others(tmp_path: Path) -> None:
    """Once a host is known to be down, messages to the other one do not knock at it."""
    async with (
        FakeLMStudio([FakeModel(NOVA)]) as one,
        FakeLMStudio([FakeModel(NOVA)], loaded=[NOVA]) as two,
        person(tmp_path, one, two, sync_every=3600) as ana,
    ):
        await one.kill()
        await ana.says("/models")
        await one.start()
        before = one.count("request")
        for text in ("a", "b", "c"):
            assert f"You said: {text}" in await ana.says(text)
        assert one.count("request") == before


async def test_asleep_everywhere_it_is_loaded_where_it_fits(tmp_path: Path) -> None:
    """The host whose memory is taken by another model is passed over."""
    models = [FakeModel(NOVA, size_bytes=6 * GB), FakeModel(MINI, size_bytes=5 * GB)]
    async with (
        FakeLMStudio(models, loaded=[MINI], switches=Switches(memory_bytes=8 * GB)) as full,
        FakeLMStudio([FakeModel(NOVA, size_bytes=6 * GB)], switches=Switches(memory_bytes=8 * GB)) as empty,
        person(tmp_path, full, empty) as ana,
    ):
        await ana.says("/usar nova")
        assert "You said: oi" in await ana.says("oi")
        assert [i.identifier for i in full.instances()] == [MINI]
        assert [i.identifier for i in empty.instances()] == [NOVA]


async def test_asleep_everywhere_it_is_loaded_where_that_is_quickest(tmp_path: Path) -> None:
    """Measured loads decide between hosts that both have room."""
    async with (
        FakeLMStudio([FakeModel(NOVA, load_seconds=0.6)]) as slow,
        FakeLMStudio([FakeModel(NOVA, load_seconds=0.05)]) as quick,
    ):
        for host in (slow, quick):  # each is measured once
            async with person(tmp_path, host) as ana:
                await ana.says("/load nova")
                await ana.says("/unload nova")
        async with person(tmp_path, slow, quick) as ana:
            assert "You said: oi" in await ana.says("oi")
        assert (slow.count("load_started"), quick.count("load_started")) == (1, 2)
