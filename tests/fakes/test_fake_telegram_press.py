"""Buttons and drafts on the fake."""

import asyncio

import pytest

from tests.fakes.calling import Json, telegram
from tests.fakes.telegram.server import Switches

KEYS: Json = {"inline_keyboard": [[{"text": "⏹ stop", "callback_data": "stop:7"}]]}
TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"


async def test_press_by_label_or_data_and_its_answer() -> None:
    """The bot gets who pressed what under which message; the person sees its answer."""
    async with telegram() as (server, line):
        ana = server.person(1)
        chat = server.private(ana)
        await line.ok("sendMessage", chat_id=1, text="busy", reply_markup=KEYS)
        first = await chat.answers[0].press(ana, "⏹ stop")
        await chat.answers[0].press(ana, "stop:7")
        queries = [update["callback_query"] for update in await line.ok("getUpdates")]
        await line.ok("answerCallbackQuery", callback_query_id=first.id, text="stopping", show_alert=True)
        answer = await first.answered()
    assert [query["data"] for query in queries] == ["stop:7", "stop:7"]
    assert queries[0]["from"]["id"] == 1
    assert queries[0]["message"]["text"] == "busy"
    assert queries[0]["message"]["reply_markup"] == KEYS
    assert queries[0]["chat_instance"] == queries[1]["chat_instance"]
    assert (answer.text, answer.alert) == ("stopping", True)


async def test_late_or_unknown_query() -> None:
    """After its time, or with an identifier from nowhere, the answer is refused."""
    async with telegram(Switches(callback_seconds=0.0)) as (server, line):
        ana = server.person(1)
        chat = server.private(ana)
        await line.ok("sendMessage", chat_id=1, text="busy", reply_markup=KEYS)
        press = await chat.answers[0].press(ana, "⏹ stop")
        late = await line.error("answerCallbackQuery", callback_query_id=press.id)
        unknown = await line.error("answerCallbackQuery", callback_query_id="5")
    assert late == unknown == (400, TOO_OLD)
    assert press.answers == []


async def test_only_shown_buttons_can_be_pressed() -> None:
    """A test that presses what is not there is told so; old data can be pressed on purpose."""
    async with telegram() as (server, line):
        ana = server.person(1)
        chat = server.private(ana)
        await line.ok("sendMessage", chat_id=1, text="busy", reply_markup=KEYS)
        message = chat.answers[0]
        with pytest.raises(LookupError, match="⏹ stop"):
            await message.press(ana, "other")
        await line.ok("deleteMessage", chat_id=1, message_id=message.id)
        await message.press(ana, "stop:7", shown=False)
        query = (await line.ok("getUpdates"))[0]["callback_query"]
    assert query["message"] == {
        "chat": {"id": 1, "type": "private", "first_name": ana.first_name}, "message_id": message.id, "date": 0,
    }  # fmt: skip


async def test_draft_grows_and_a_message_takes_its_place() -> None:
    """All frames are on record; the person sees the last one until the message comes."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        for text in ("", "Hel", "Hello"):
            await line.ok("sendMessageDraft", chat_id=1, draft_id=5, text=text)
        shown = chat.draft
        unfinished = chat.draft_log.unfinished()
        await line.ok("sendMessage", chat_id=1, text="Hello.")
        assert chat.draft is None
        assert chat.draft_log.unfinished() == []
    assert shown is not None
    assert shown.text == "Hello"
    assert unfinished == [5]
    assert [frame.text for frame in chat.drafts] == ["", "Hel", "Hello"]


async def test_draft_is_gone_after_its_time() -> None:
    """A draft lives 30 s, here none at all, and stays unfinished."""
    async with telegram(Switches(draft_seconds=0.0)) as (server, line):
        chat = server.private(server.person(1))
        await line.ok("sendMessageDraft", chat_id=1, draft_id=5, text="Hel")
        assert chat.draft is None
        assert chat.draft_log.unfinished() == [5]


async def test_drafts_only_in_private_chats_and_with_a_number() -> None:
    """A group takes no drafts, and zero is no identifier."""
    async with telegram() as (server, line):
        ana = server.person(1)
        server.private(ana)
        group = server.group([ana])
        refused = await line.error("sendMessageDraft", chat_id=group.id, draft_id=5, text="x")
        zero = await line.error("sendMessageDraft", chat_id=1, draft_id=0, text="x")
        long = await line.error("sendMessageDraft", chat_id=1, draft_id=5, text="x" * 4097)
    assert refused == (400, "Bad Request: TEXTDRAFT_PEER_INVALID")
    assert zero == (400, "Bad Request: RANDOM_ID_INVALID")
    assert long == (400, "Bad Request: message is too long")


async def test_person_stops_a_draft() -> None:
    """A draft with a stop button can be stopped; the bot is told which."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        await line.ok("sendMessageDraft", chat_id=1, draft_id=4, text="x")
        with pytest.raises(LookupError):
            await chat.stop_draft()
        await line.ok("sendMessageDraft", chat_id=1, draft_id=5, text="x", can_stop=True)
        await chat.stop_draft()
        assert chat.draft is None
        update = (await line.ok("getUpdates"))[0]["stopped_message_generation"]
    assert update["draft_id"] == 5
    assert update["chat"]["id"] == 1


async def test_draft_can_be_waited_for() -> None:
    """A wait for a draft ends with the frame that fits."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        waiting = asyncio.create_task(chat.wait_for_draft(lambda d: "lo" in d.text))
        await line.ok("sendMessageDraft", chat_id=1, draft_id=5, text="<b>Hello", parse_mode="")
        await line.ok("sendMessageDraft", chat_id=1, draft_id=5, text="<b>Hello</b>", parse_mode="HTML")
        assert (await waiting).text == "<b>Hello"
        assert chat.drafts[1].content.covered("bold") == ["Hello"]
