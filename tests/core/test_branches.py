"""Reply chains: what a question continues, whatever was said since."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import aclosing, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.admission import Admission
from core.catalog import Catalog
from core.chat import Chat, Said
from core.conversation import ChatRef, Conversation, Delta, Done, Outcome, Role, Turn
from core.errors import Interrupted
from core.storage import Store
from core.storage import sqlite as sqlite_file
from core.storage.branches import LONGEST_LINE, BranchQueries
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeProvider, external

CHAT = ChatRef("telegram", "-5", "0")
MODEL = external(max_context=100_000)


@dataclass
class Talk:
    """Somebody asks; the answer to `x` is `<x>`, and stands in a message named `answer to x`."""

    chat: Chat
    store: Store
    vendor: FakeProvider
    conversation: Conversation = field(default_factory=lambda: Conversation(CHAT))

    async def ask(self, text: str, *, to: str | None = None, message: str = "") -> list[str]:
        """Ask, and wait for the answer; what the model was shown before the question."""
        question = await self.chat.asked(self.conversation, text, Said((), message or text, to))
        await self.answer(question)
        return self.shown()

    async def answer(self, question: Turn) -> None:
        self.vendor.answers.append((Delta(f"<{question.text}>"), Done("stop")))
        async with aclosing(self.chat.stream(self.conversation, MODEL, question)) as events:
            assert [event async for event in events]
        await self.chat.stands_in(CHAT, question.id, [f"answer to {question.text}"])

    def shown(self) -> list[str]:
        return [turn.text for turn in self.vendor.asked[-1][1]][:-1]


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    async with open_talk(tmp_path) as opened:
        yield opened


class open_talk:  # noqa: N801  # used as a function is
    """A talk over the database in that folder."""

    def __init__(self, folder: Path) -> None:
        self._opening = Store.open(folder / "db")

    async def __aenter__(self) -> Talk:
        clock, vendor = FakeClock(), FakeProvider([MODEL])
        store = await self._opening.__aenter__()
        catalog = Catalog(store, clock)
        catalog.add(vendor)
        return Talk(Chat(store, catalog, clock, admission=Admission(clock)), store, vendor)

    async def __aexit__(self, *_: object) -> None:
        await self._opening.__aexit__(None, None, None)


async def test_without_a_reply_the_newest_line_goes_on(talk: Talk) -> None:
    """One message after the other is one conversation."""
    assert await talk.ask("a") == []
    assert await talk.ask("b") == ["a", "<a>"]
    assert await talk.ask("c") == ["a", "<a>", "b", "<b>"]


@pytest.mark.parametrize("to", ["answer to a", "a"])
async def test_a_reply_to_something_old_continues_from_there(talk: Talk, to: str) -> None:
    """To an old answer or an old question alike; what was said since is not shown, and the branch goes on."""
    for text in "abc":
        await talk.ask(text)
    assert await talk.ask("d", to=to) == ["a", "<a>"]
    assert await talk.ask("e") == ["a", "<a>", "d", "<d>"]
    assert await talk.ask("f", to="answer to c") == ["a", "<a>", "b", "<b>", "c", "<c>"]


async def test_a_reply_to_what_nobody_knows_continues_the_newest_line(talk: Talk) -> None:
    """A message from before the bot, or of somebody else, begins nothing of its own."""
    await talk.ask("a")
    assert await talk.ask("b", to="somebody's") == ["a", "<a>"]


async def test_a_new_conversation_begins_anew_and_an_old_one_can_be_taken_up(talk: Talk) -> None:
    """After /new nothing is shown; a reply to something from before continues that, and the next message too."""
    await talk.ask("a")
    last = (await talk.store.turns(CHAT))[-1]
    talk.conversation = replace(talk.conversation, began=last.id)
    assert await talk.ask("b") == []
    assert await talk.ask("c", to="answer to a") == ["a", "<a>"]
    assert await talk.ask("d") == ["a", "<a>", "c", "<c>"]


async def test_an_edited_question_takes_the_place_of_the_first_one(talk: Talk) -> None:
    """The same message asked again is not shown its earlier self, and later replies find the new one."""
    await talk.ask("a")
    await talk.ask("b", message="m")
    assert await talk.ask("b!", message="m") == ["a", "<a>"]
    assert await talk.ask("c") == ["a", "<a>", "b!", "<b!>"]
    assert await talk.ask("d", to="m") == ["a", "<a>", "b!", "<b!>"]


async def test_an_answer_given_anew_stays_on_its_branch(talk: Talk) -> None:
    """/retry after a branch is shown what the branch was shown."""
    for text in "ab":
        await talk.ask(text)
    await talk.ask("c", to="answer to a")
    question = await talk.chat.again(talk.conversation)
    assert question is not None
    await talk.answer(question)
    assert talk.shown() == ["a", "<a>"]
    assert [turn.text for turn in await talk.store.turns(CHAT)] == ["a", "<a>", "b", "<b>", "c", "<c>"]


async def test_questions_without_an_answer_are_skipped_on_every_branch(talk: Talk) -> None:
    """What failed is still part of the line, but the model is not shown it."""
    await talk.ask("a")
    talk.vendor.answers.append((Interrupted(MODEL),))
    failed = await talk.chat.asked(talk.conversation, "b", Said((), "b"))
    with pytest.raises(Interrupted):
        async with aclosing(talk.chat.stream(talk.conversation, MODEL, failed)) as events:
            assert [event async for event in events] == []
    assert await talk.ask("c", to="b") == ["a", "<a>"]


async def test_messages_of_other_chats_are_others(talk: Talk) -> None:
    """The same number in another chat is another message."""
    await talk.ask("a")
    elsewhere = Conversation(ChatRef("telegram", "-6", "0"))
    question = await talk.chat.asked(elsewhere, "z", Said((), "1", "answer to a"))
    assert question.parent == 0


async def test_a_line_survives_a_restart(tmp_path: Path) -> None:
    """Branches are on disk."""
    async with open_talk(tmp_path) as talk:
        for text in "ab":
            await talk.ask(text)
    async with open_talk(tmp_path) as talk:
        assert await talk.ask("c", to="answer to a") == ["a", "<a>"]


async def test_the_longest_line(talk: Talk) -> None:
    """A line of thousands is read as far as any context reaches, its newest part."""
    question = Turn(Role.USER, "")
    for number in range(LONGEST_LINE + 50):
        question = await talk.store.add_turn(CHAT, Turn(Role.USER, f"q{number}"))
        await talk.store.add_turn(CHAT, Turn(Role.ASSISTANT, f"a{number}", parent=question.id))
    line = await BranchQueries.over(talk.store).line(CHAT, question.id)
    assert len(line) == 2 * LONGEST_LINE
    assert line[-1].text == f"a{LONGEST_LINE + 49}"


async def test_an_old_database_is_one_line_in_each_chat(tmp_path: Path) -> None:
    """Turns of a program that knew no branches follow each other, from the last /new on."""
    before = dict(sorted(sqlite_file.scripts())[:2])
    with closing(sqlite3.connect(tmp_path / "db")) as old:
        old.execute("CREATE TABLE migrations (name TEXT PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)")
        for name, script in before.items():
            old.executescript(script)
            old.execute("INSERT INTO migrations (name) VALUES (?)", (name,))
        old.execute(
            "INSERT INTO conversations VALUES (?, NULL, NULL, '', ?, 0, 0)",
            (str(CHAT), 2),
        )
        for chat, role, text in [
            (str(CHAT), "user", "x"),
            (str(CHAT), "assistant", "<x>"),
            (str(CHAT), "user", "a"),
            ("console:1:0", "user", "other"),
            (str(CHAT), "assistant", "<a>"),
            (str(CHAT), "user", "b"),
            (str(CHAT), "assistant", "<b>"),
        ]:
            old.execute(
                "INSERT INTO turns (chat, role, text, thinking, outcome, model_id, at) VALUES (?, ?, ?, '', ?, '', 0)",
                (chat, role, text, Outcome.DONE.value),
            )
        old.commit()
    async with open_talk(tmp_path) as talk:
        talk.conversation = await talk.store.conversation(CHAT)
        assert await talk.ask("c") == ["a", "<a>", "b", "<b>"]
        assert [t.parent for t in await talk.store.turns(CHAT)] == [0, 1, 0, 3, 3, 6, 6, 8]


@settings(max_examples=40, deadline=None)
@given(replies=st.lists(st.none() | st.integers(0, 30), min_size=1, max_size=12))
async def test_any_tree(replies: list[int | None], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever people reply to, a model is shown exactly the ancestors, oldest first."""
    async with open_talk(tmp_path_factory.mktemp("tree")) as talk:
        lines: list[list[str]] = []
        for number, to in enumerate(replies):
            known = to is not None and to < number
            expected = lines[to] if known and to is not None else lines[-1] if lines else []
            text = f"q{number}"
            assert await talk.ask(text, to=f"answer to q{to}") == expected
            lines.append([*expected, text, f"<{text}>"])
