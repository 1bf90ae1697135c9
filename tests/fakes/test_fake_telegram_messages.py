"""Sending, editing and deleting on the fake, with the errors a real server answers."""

import pytest

from tests.fakes.calling import PNG, Json, telegram
from tests.fakes.telegram.server import Switches

KEYS: Json = {
    "inline_keyboard": [[{"text": "Go", "callback_data": "go:1"}], [{"text": "Site", "url": "https://a.org"}]]
}


async def test_sent_message_is_seen_and_told() -> None:
    """What the call answers is what a person sees: text, entities, buttons, author."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        told = await line.ok(
            "sendMessage", chat_id=1, text="<b>bold</b> and /go", parse_mode="HTML", reply_markup=KEYS
        )
        seen = chat.answers[0]
    assert told["from"]["is_bot"] is True
    assert told["text"] == seen.text == "bold and /go"
    assert seen.covered("bold") == ["bold"]
    assert seen.covered("bot_command") == ["/go"]
    assert seen.buttons == (("Go",), ("Site",))
    assert told["reply_markup"] == KEYS
    assert seen.by_bot
    assert seen.edited == []


async def test_edit_changes_text_and_takes_buttons_away() -> None:
    """An edit without markup removes the buttons; each edit is on record with its time."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        sent = await line.ok("sendMessage", chat_id=1, text="one", reply_markup=KEYS)
        place = {"chat_id": 1, "message_id": sent["message_id"]}
        told = await line.ok("editMessageText", **place, text="two")
        await line.ok("editMessageReplyMarkup", **place, reply_markup=KEYS)
        seen = chat.answers[0]
    assert told["text"] == seen.text == "two"
    assert "reply_markup" not in told
    assert told["edit_date"] >= sent["date"]
    assert [edit.buttons for edit in seen.edits] == [(), (("Go",), ("Site",))]
    assert seen.edited == sorted(seen.edited)


async def test_same_text_again_is_not_modified() -> None:
    """Nothing new after parsing: 400, also where the markup was written differently."""
    async with telegram() as (server, line):
        server.private(server.person(1))
        sent = await line.ok("sendMessage", chat_id=1, text="*x*", parse_mode="Markdown", reply_markup=KEYS)
        told = await line.error(
            "editMessageText",
            chat_id=1,
            message_id=sent["message_id"],
            text="x ",
            entities=[{"type": "bold", "offset": 0, "length": 1}],
            reply_markup=KEYS,
        )
    assert told == (
        400,
        (
            "Bad Request: message is not modified: specified new message content and reply markup are exactly the "
            "same as a current content and reply markup of the message"
        ),
    )


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": " \n "}, "text must be non-empty"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"text": "😀" * 2049}, "message is too long"),
        ({"text": "<b>x", "parse_mode": "HTML"}, "can't parse entities: Can't find end tag corresponding to start tag \"b\""),
        ({"text": "a.b", "parse_mode": "MarkdownV2"}, "can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'"),
        ({"text": "x", "parse_mode": "Wiki"}, "unsupported parse_mode"),
        ({"text": "x", "chat_id": 99}, "chat not found"),
        ({"text": "x", "chat_id": "@nobody_here"}, "chat not found"),
        ({"text": "x", "reply_parameters": {"message_id": 77}}, "message to be replied not found"),
        ({"text": "x", "message_thread_id": 5}, "message thread not found"),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "b", "callback_data": "é" * 33}]]}}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "b"}]]}}, "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "b", "callback_data": "d"}]] * 101}}, "reply markup is too long"),
        ({"text": "😀", "entities": [{"type": "bold", "offset": 1, "length": 1}]}, "entity begins in a middle of a UTF-16 symbol at byte offset 4"),
    ],
)  # fmt: skip
async def test_refused_messages(parameters: Json, told: str) -> None:
    """Each wrong message is refused with the server's own words, and nothing is sent."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        assert await line.error("sendMessage", **{"chat_id": 1, **parameters}) == (
            400,
            f"Bad Request: {told}",
        )
        assert chat.messages == []
        assert server.violations == []


async def test_longest_texts_pass() -> None:
    """4096 UTF-16 units after parsing are allowed, however long the source, as are 64 bytes of data."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        await line.ok("sendMessage", chat_id=1, text="<b>" + "😀" * 2048 + "</b>", parse_mode="HTML")
        keys = {"inline_keyboard": [[{"text": "b", "callback_data": "é" * 32}]]}
        await line.ok("sendMessage", chat_id=1, text="x" * 4096, reply_markup=keys)
        sent = chat.answers[0].id
        told = await line.error("editMessageText", chat_id=1, message_id=sent, text="x" * 4097)
    assert told == (400, "Bad Request: MESSAGE_TOO_LONG")


async def test_editing_what_cannot_be_edited() -> None:
    """Missing, deleted, other people's and captioned messages are refused in different words."""
    async with telegram() as (server, line):
        ana = server.person(1)
        chat = server.private(ana)
        hers = await chat.send(ana, "mine")
        photo = await line.ok("sendPhoto", chat_id=1, photo=PNG)
        edit = {"chat_id": 1, "text": "x"}
        missing = await line.error("editMessageText", **edit, message_id=99)
        other = await line.error("editMessageText", **edit, message_id=hers.id)
        picture = await line.error("editMessageText", **edit, message_id=photo["message_id"])
    assert missing == (400, "Bad Request: message to edit not found")
    assert other == (400, "Bad Request: message can't be edited")
    assert picture == (400, "Bad Request: there is no text in the message to edit")


async def test_deleting() -> None:
    """One call fails on what is not there, the plural skips it; in groups only administrators delete others'."""
    async with telegram() as (server, line):
        ana = server.person(1)
        group = server.group([ana])
        hers = await group.send(ana, "/mine")
        sent = await line.ok("sendMessage", chat_id=group.id, text="x")
        refused = await line.error("deleteMessage", chat_id=group.id, message_id=hers.id)
        seen = group.answers[0]
        await line.ok("deleteMessages", chat_id=group.id, message_ids=[sent["message_id"], 99])
        gone = await line.error("deleteMessage", chat_id=group.id, message_id=sent["message_id"])
        await group.promote(server.bot, by=ana)
        await line.ok("deleteMessage", chat_id=group.id, message_id=hers.id)
        assert group.messages == []
    assert refused == (400, "Bad Request: message can't be deleted")
    assert gone == (400, "Bad Request: message to delete not found")
    assert seen.deleted


async def test_replies() -> None:
    """A reply shows what it answers, one level deep; it may be allowed to stand alone."""
    async with telegram() as (server, line):
        ana = server.person(1)
        chat = server.private(ana)
        asked = await chat.send(ana, "question")
        told = await line.ok(
            "sendMessage", chat_id=1, text="answer", reply_parameters={"message_id": asked.id}
        )
        more = await line.ok(
            "sendMessage", chat_id=1, text="more", reply_parameters={"message_id": told["message_id"]}
        )
        alone = await line.ok(
            "sendMessage",
            chat_id=1,
            text="alone",
            reply_parameters={"message_id": 99, "allow_sending_without_reply": True},
        )
    assert told["reply_to_message"]["text"] == "question"
    assert "reply_to_message" not in more["reply_to_message"]
    assert "reply_to_message" not in alone
    assert chat.answers[0].reply_to is asked


async def test_chat_action_is_seen() -> None:
    """Typing is shown to the person; an unknown action is refused."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        await line.ok("sendChatAction", chat_id=1, action="typing")
        await chat.wait_for_action("typing")
        assert (await line.error("sendChatAction", chat_id=1, action="sleeping"))[0] == 400


async def test_rich_message_only_where_the_server_has_it() -> None:
    """An older server answers 404; a newer one sends the Markdown, up to 32,768 characters."""
    rich = {"chat_id": 1, "rich_message": {"markdown": "# Title\n\n| a | b |"}}
    async with telegram() as (server, line):
        server.private(server.person(1))
        assert await line.error("sendRichMessage", **rich) == (404, "Not Found: method not found")
        assert server.violations == []
    async with telegram(Switches(rich_messages=True)) as (server, line):
        chat = server.private(server.person(1))
        told = await line.ok("sendRichMessage", **rich)
        long = {"markdown": "x" * 32_769}
        refused = await line.error("sendRichMessage", chat_id=1, rich_message=long)
        assert chat.answers[0].text.startswith("# Title")
    assert "text" not in told
    assert told["rich_message"]["blocks"]
    assert refused[0] == 400


async def test_quote_must_stand_in_the_answered_message() -> None:
    """A reply may quote a part, word for word; the place of it is told in UTF-16 units."""
    async with telegram() as (server, line):
        ana = server.person(1)
        asked = await server.private(ana).send(ana, "😀 one two")
        reply = {"message_id": asked.id, "quote": "<b>two</b>", "quote_parse_mode": "HTML"}
        told = await line.ok("sendMessage", chat_id=1, text="x", reply_parameters=reply)
        wrong = await line.error(
            "sendMessage", chat_id=1, text="x", reply_parameters={"message_id": asked.id, "quote": "three"}
        )
    assert told["quote"] == {
        "text": "two", "position": 7, "is_manual": True, "entities": [{"type": "bold", "offset": 0, "length": 3}],
    }  # fmt: skip
    assert wrong == (400, "Bad Request: QUOTE_TEXT_INVALID")


async def test_caption_can_be_edited() -> None:
    """A caption is edited by its own method, which refuses plain texts."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        photo = await line.ok("sendPhoto", chat_id=1, photo=PNG, caption="one")
        text = await line.ok("sendMessage", chat_id=1, text="x")
        told = await line.ok(
            "editMessageCaption", chat_id=1, message_id=photo["message_id"], caption="two", reply_markup=KEYS
        )
        refused = await line.error(
            "editMessageCaption", chat_id=1, message_id=text["message_id"], caption="x"
        )
        assert chat.answers[0].text == told["caption"] == "two"
        assert chat.answers[0].labels == ["Go", "Site"]
    assert refused == (400, "Bad Request: there is no caption in the message to edit")


async def test_rich_texts_in_edits_and_drafts() -> None:
    """Where rich messages exist, a message can become one, and a draft can be one."""
    rich = {"markdown": "| a | b |\n|---|---|"}
    async with telegram(Switches(rich_messages=True)) as (server, line):
        chat = server.private(server.person(1))
        sent = await line.ok("sendMessage", chat_id=1, text="plain")
        edit = {"chat_id": 1, "message_id": sent["message_id"], "rich_message": rich}
        told = await line.ok("editMessageText", **edit)
        again = await line.error("editMessageText", **edit)
        await line.ok("sendRichMessageDraft", chat_id=1, draft_id=3, rich_message=rich)
        both = await line.error("sendRichMessage", chat_id=1, rich_message=rich | {"html": "x"})
        assert chat.draft is not None
        assert chat.draft.text == chat.answers[0].text == rich["markdown"]
    assert "rich_message" in told
    assert again[1].startswith("Bad Request: message is not modified")
    assert both[0] == 400


async def test_mention_by_text_needs_a_known_person() -> None:
    """A person the bot knows is mentioned with their name, a stranger is not mentioned at all."""
    async with telegram() as (server, line):
        ana = server.person(1)
        server.private(ana)
        entities = [
            {"type": "text_mention", "offset": 0, "length": 3, "user": {"id": each, "is_bot": False, "first_name": "x"}}
            for each in (1, 77)
        ]  # fmt: skip
        known = await line.ok("sendMessage", chat_id=1, text="Ana", entities=entities[:1])
        stranger = await line.ok("sendMessage", chat_id=1, text="Ana", entities=entities[1:])
    assert known["entities"][0]["user"]["first_name"] == ana.first_name
    assert "entities" not in stranger
