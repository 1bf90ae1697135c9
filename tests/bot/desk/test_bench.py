"""/bench: a fixed prompt, timed; kept as history and compared between models and hosts."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cards import Listing, Notice, Row, plain
from bot.desk.bench import PROMPT, TOKENS
from core.conversation import Delta, Done, ReplyEvent, ReplyOptions, Turn, Usage
from core.errors import EmptyAnswer, Unreachable
from core.model import Model, ModelState
from tests.bot.talk import Talk, talking
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeLoader, a_model

NOVA = a_model("acme/nova-8b", name="Nova 8B", size_bytes=8)
MINI = a_model("acme/mini-1b", name="Mini 1B", size_bytes=1)


class Paced(FakeLoader):
    """Says its first word after `first` seconds and all `tokens` after `writing` more."""

    def __init__(self, models: Sequence[Model], clock: FakeClock, *, host: str = "fake:1") -> None:
        super().__init__(models, host=host)
        self._clock = clock
        self.first, self.writing, self.tokens = 0.5, 2.0, 100
        self.told = True

    async def reply(
        self, model: Model, turns: Sequence[Turn], options: ReplyOptions
    ) -> AsyncGenerator[ReplyEvent]:
        self.asked.append((model, tuple(turns), options))
        await self._clock.advance(self.first)
        yield Delta("one, ")
        await self._clock.advance(self.writing)
        yield Done("length", Usage(20, self.tokens) if self.told else Usage())


async def measured(talk: Talk, line: str) -> list[Row]:
    card = await talk.say(line)
    assert isinstance(card, Listing), plain(card)
    return list(card.rows)


async def test_a_model_is_measured(tmp_path: Path) -> None:
    """It is loaded first; the prompt is always the same and goes into no conversation; use counts."""
    clock = FakeClock()
    host = Paced([NOVA], clock)
    async with talking(tmp_path, host, clock=clock) as talk:
        await talk.say("antes")
        host.put(NOVA.key, ModelState.ON_DISK)
        saying = talk.begin("/bench nova")
        (row,) = (await saying.last()).rows  # type: ignore[union-attr]  # a listing, see below
        assert any("🏁 Medindo Nova 8B" in text for text in saying.texts)
        assert any("Carregando" in text for text in saying.texts)
        turns = await talk.turns()
        spent = await talk.engine.access.spending.today("console:ana", external=False)
    assert host.loaded == [NOVA.key] * 2
    assert row == Row("🏁", "nova-8b", "1.ª palavra em 0,5 s · 50,0 tokens/s")
    _, asked, options = host.asked[-1]
    assert [turn.text for turn in asked] == [PROMPT]
    assert (options.temperature, options.max_tokens) == (0.0, TOKENS)
    assert [turn.text for turn in turns] == ["antes", "one, "]
    assert spent == 240


async def test_history_and_comparison(tmp_path: Path) -> None:
    """Earlier results of the same model stand below, other models and hosts beside, the fastest first."""
    clock = FakeClock()
    one = Paced([replace(NOVA, host="pc:1"), replace(MINI, host="pc:1")], clock, host="pc:1")
    two = Paced([replace(NOVA, host="pc:2")], clock, host="pc:2")
    async with talking(tmp_path, one, two, clock=clock) as talk:
        one.writing = 1.0
        await measured(talk, "/bench mini")
        for box in (one, two):
            box.put(NOVA.key, ModelState.LOADED)
        one.writing, two.writing = 4.0, 2.0
        await measured(talk, "/medir nova")
        one.writing = 5.0
        rows = await measured(talk, "/bench nova")
    assert {(row.mark, row.name, row.detail.split(" · ")[1], row.note) for row in rows[:2]} == {
        ("🏁", "nova-8b (pc:1)", "20,0 tokens/s", "antes: 25,0 tokens/s"),
        ("🏁", "nova-8b (pc:2)", "50,0 tokens/s", "antes: 50,0 tokens/s"),
    }
    assert [(row.mark, row.name, row.current) for row in rows[2:]] == [
        ("1.", "mini-1b", False),
        ("2.", "nova-8b (pc:2)", True),
        ("3.", "nova-8b (pc:1)", True),
    ]


async def test_a_host_that_counts_no_tokens(tmp_path: Path) -> None:
    """The first word is timed all the same."""
    clock = FakeClock()
    host = Paced([NOVA], clock)
    host.told = False
    async with talking(tmp_path, host, clock=clock) as talk:
        (row,) = await measured(talk, "/bench nova")
    assert row.detail == "1.ª palavra em 0,5 s"


@pytest.mark.parametrize("problem", [EmptyAnswer(NOVA), Unreachable("fake:1")])
async def test_what_fails_is_told(tmp_path: Path, problem: Exception) -> None:
    """A card with the reason; nothing is kept."""
    host = FakeLoader([NOVA])
    async with talking(tmp_path, host, clock=FakeClock()) as talk:
        host.answers = [[problem]]  # type: ignore[list-item]  # both are Problems
        assert isinstance(await talk.say("/bench nova"), Notice)
        rows = await measured(talk, "/bench nova")
    assert [row.mark for row in rows] == ["🏁"]
    assert rows[0].note == ""
