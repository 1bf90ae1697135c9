"""What people do on the fake, and how the bot hears of it: groups, topics, replies, coming and going."""

import pytest

from tests.fakes.calling import Json, Line, telegram
from tests.fakes.telegram.server import Chat, FakeTelegram, Person, Switches


async def _new(line: Line) -> list[Json]:
    """The updates since the last look."""
    updates: list[Json] = await line.ok("getUpdates")
    if updates:
        await line.ok("getUpdates", offset=updates[-1]["update_id"] + 1)
    return updates


async def _texts(line: Line) -> list[str]:
    return [update["message"]["text"] for update in await _new(line)]


def _crowd(
    server: FakeTelegram, *, bot: str = "member", kind: str = "supergroup"
) -> tuple[Chat, Person, Person]:
    ana, bia = server.person(1, "Ana"), server.person(2, "Bia")
    return server.group([ana, bia], bot=bot, kind=kind), ana, bia


async def test_commands_and_mentions_carry_entities() -> None:
    """A person's message has the entities a client would send."""
    async with telegram() as (server, line):
        group, ana, _ = _crowd(server)
        await group.send(ana, f"/ask@{server.bot.username} what is https://a.org")
        message = (await _new(line))[0]["message"]
    assert [entity["type"] for entity in message["entities"]] == ["bot_command", "url"]
    assert message["entities"][0] == {"offset": 0, "length": 20, "type": "bot_command"}
    assert message["chat"] == {"id": group.id, "type": "supergroup", "title": "Group"}


async def test_privacy_mode_hides_what_people_say_to_each_other() -> None:
    """In a group the bot gets commands, mentions and replies to it, and nothing else."""
    async with telegram() as (server, line):
        group, ana, bia = _crowd(server)
        told = await line.ok("sendMessage", chat_id=group.id, text="I am here")
        mine = group.find(told["message_id"])
        private = await group.send(ana, "between us")
        await group.send(bia, "indeed", reply_to=private)
        await group.send(ana, "/help")
        await group.send(ana, "/help@another_bot")
        await group.send(ana, f"hey @{server.bot.username.upper()}")
        await group.send(ana, "and you?", reply_to=mine)
        assert await _texts(line) == ["/help", f"hey @{server.bot.username.upper()}", "and you?"]


@pytest.mark.parametrize(("privacy", "role"), [(False, "member"), (True, "administrator")])
async def test_without_privacy_or_as_administrator_it_gets_all(privacy: bool, role: str) -> None:  # noqa: FBT001 - a parameter of the test
    """Privacy switched off, or the bot an administrator: everything is told."""
    async with telegram(Switches(privacy=privacy)) as (server, line):
        group, ana, _ = _crowd(server, bot=role)
        await group.send(ana, "between us")
        assert await _texts(line) == ["between us"]
        assert (await line.ok("getMe"))["can_read_all_group_messages"] is not privacy


async def test_reply_chain_and_threads_in_a_supergroup() -> None:
    """A reply shows what it answers, and carries the thread that its first message began."""
    async with telegram() as (server, line):
        group, ana, _ = _crowd(server)
        question = await group.send(ana, "/ask")
        answer = await line.ok(
            "sendMessage", chat_id=group.id, text="so", reply_parameters={"message_id": question.id}
        )
        await group.send(ana, "go on", reply_to=group.find(answer["message_id"]))
        message = (await _new(line))[-1]["message"]
    assert message["reply_to_message"]["message_id"] == answer["message_id"]
    assert message["message_thread_id"] == answer["message_thread_id"] == question.id
    assert "is_topic_message" not in message


async def test_forum_topics_are_threads() -> None:
    """A message in a topic names it and answers the message that opened it; the general topic has no number."""
    async with telegram() as (server, line):
        ana = server.person(1)
        forum = await server.forum([ana])
        alpha = forum.topic("Alpha")
        await forum.send(ana, "/here", thread=alpha)
        await forum.send(ana, "/there")
        inside, outside = [update["message"] for update in await _new(line)]
        told = await line.ok("sendMessage", chat_id=forum.id, text="yes", message_thread_id=alpha)
        await line.ok("sendMessage", chat_id=forum.id, text="general", message_thread_id=1)
        missing = await line.error("sendMessage", chat_id=forum.id, text="no", message_thread_id=999)
        await forum.close_topic(alpha)
        closed = await line.error("sendMessage", chat_id=forum.id, text="no", message_thread_id=alpha)
    assert (inside["message_thread_id"], inside["is_topic_message"]) == (alpha, True)
    assert inside["reply_to_message"]["forum_topic_created"]["name"] == "Alpha"
    assert inside["chat"]["is_forum"] is True
    assert "message_thread_id" not in outside
    assert told["message_thread_id"] == alpha
    assert [message.thread for message in forum.answers] == [alpha, None]
    assert missing == (400, "Bad Request: message thread not found")
    assert closed == (400, "Bad Request: TOPIC_CLOSED")


async def test_bot_makes_topics_only_with_rights() -> None:
    """Administrators may open topics; the new topic takes messages at once."""
    async with telegram() as (server, line):
        ana = server.person(1)
        forum = await server.forum([ana], bot="administrator")
        topic = await line.ok("createForumTopic", chat_id=forum.id, name="Gamma")
        await line.ok("sendMessage", chat_id=forum.id, text="x", message_thread_id=topic["message_thread_id"])
        forum.statuses[server.bot.id] = "member"
        refused = await line.error("createForumTopic", chat_id=forum.id, name="Delta")
    assert topic["name"] == "Gamma"
    assert refused == (400, "Bad Request: not enough rights to manage topics")


async def test_edited_message_comes_as_such() -> None:
    """A person's edit is its own kind of update, with the date of the edit."""
    async with telegram() as (server, line):
        ana = server.person(1)
        chat = server.private(ana)
        asked = await chat.send(ana, "helo")
        await chat.edit(asked, "hello")
        update = (await _new(line))[1]
    assert update["edited_message"]["text"] == "hello"
    assert update["edited_message"]["message_id"] == asked.id
    assert update["edited_message"]["edit_date"] >= asked.date


async def test_blocking_and_coming_back() -> None:
    """Blocked: 403 and a my_chat_member update; writing to the bot again opens the chat."""
    async with telegram() as (server, line):
        ana = server.person(1)
        chat = server.private(ana)
        await chat.block()
        refused = await line.error("sendMessage", chat_id=1, text="x")
        await chat.send(ana, "again")
        updates = await _new(line)
        await line.ok("sendMessage", chat_id=1, text="x")
    assert refused == (403, "Forbidden: bot was blocked by the user")
    assert [list(update)[1] for update in updates] == ["my_chat_member", "my_chat_member", "message"]
    changes = [update["my_chat_member"]["new_chat_member"]["status"] for update in updates[:2]]
    assert changes == ["kicked", "member"]


async def test_a_stranger_must_write_first() -> None:
    """Before a person started the bot, it may not write to them."""
    async with telegram() as (server, line):
        ana = server.person(1)
        chat = server.private(ana, started=False)
        refused = await line.error("sendMessage", chat_id=1, text="x")
        await chat.send(ana, "/start")
        await line.ok("sendMessage", chat_id=1, text="x")
    assert refused == (403, "Forbidden: bot can't initiate conversation with a user")


@pytest.mark.parametrize("kind", ["supergroup", "group"])
async def test_kicked_from_a_group(kind: str) -> None:
    """Kicked: no more messages come, writing is 403; added again, it works."""
    async with telegram() as (server, line):
        group, ana, _ = _crowd(server, kind=kind)
        await group.kick_bot(ana)
        await group.send(ana, "/unheard")
        refused = await line.error("sendMessage", chat_id=group.id, text="x")
        await group.add_bot(ana)
        updates = await _new(line)
        await line.ok("sendMessage", chat_id=group.id, text="x")
    assert refused == (403, f"Forbidden: bot was kicked from the {kind} chat")
    assert [list(update)[1] for update in updates] == ["my_chat_member", "my_chat_member", "message"]
    assert updates[2]["message"]["new_chat_members"][0]["is_bot"] is True


async def test_members_and_administrators() -> None:
    """Who is what can be asked; a private chat has no administrators."""
    async with telegram() as (server, line):
        ana, bia, caio = server.person(1), server.person(2), server.person(3)
        group = server.group([ana], [bia])
        server.private(ana)
        statuses = [
            (await line.ok("getChatMember", chat_id=group.id, user_id=each))["status"]
            for each in (1, 2, 3, server.bot.id)
        ]
        admins = await line.ok("getChatAdministrators", chat_id=group.id)
        nobody = await line.error("getChatMember", chat_id=group.id, user_id=99)
        private = await line.error("getChatAdministrators", chat_id=1)
        await group.promote(caio, by=bia)
        rights = await line.ok("getChatMember", chat_id=group.id, user_id=3)
        assert await line.ok("getChatMemberCount", chat_id=group.id) == 4
        assert (await line.ok("getChat", chat_id=group.id))["title"] == "Group"
    assert statuses == ["member", "creator", "left", "member"]
    assert [admin["user"]["id"] for admin in admins] == [2]
    assert rights["can_delete_messages"] is True
    assert nobody == (400, "Bad Request: PARTICIPANT_ID_INVALID")
    assert private == (400, "Bad Request: there are no administrators in the private chat")


async def test_waiting_tells_what_was_seen_instead() -> None:
    """A wait that fails shows the chat as it stands."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        await line.ok("sendMessage", chat_id=1, text="something else")
        with pytest.raises(TimeoutError, match="something else"):
            await chat.wait_for(lambda m: m.text == "this", timeout=0.01)


async def test_joining_and_leaving_are_told() -> None:
    """Service messages say who came and went, whatever the privacy mode."""
    async with telegram() as (server, line):
        group, ana, bia = _crowd(server)
        caio = server.person(3)
        await group.join(caio)
        await group.leave(bia, by=ana)
        joined, left = [update["message"] for update in await _new(line)]
        status = (await line.ok("getChatMember", chat_id=group.id, user_id=bia.id))["status"]
    assert joined["new_chat_members"][0]["id"] == joined["from"]["id"] == 3
    assert (left["left_chat_member"]["id"], left["from"]["id"]) == (2, 1)
    assert status == "kicked"


async def test_album_shares_a_group() -> None:
    """Photos sent together come as messages with the same group."""
    async with telegram() as (server, line):
        ana = server.person(1)
        chat = server.private(ana)
        for number in range(2):
            await chat.photo(ana, bytes([number]), group="album-1")
        messages = [update["message"] for update in await _new(line)]
    assert [message["media_group_id"] for message in messages] == ["album-1"] * 2


async def test_touching_messages_topics_and_leaving() -> None:
    """Pins and reactions need a message that is there; a closed topic is closed; who left may not write."""
    async with telegram() as (server, line):
        ana = server.person(1)
        forum = await server.forum([ana], bot="administrator")
        asked = await forum.send(ana, "/x")
        place = {"chat_id": forum.id, "message_id": asked.id}
        await line.ok("setMessageReaction", **place, reaction=[{"type": "emoji", "emoji": "👍"}])
        await line.ok("pinChatMessage", **place)
        missing = await line.error("setMessageReaction", chat_id=forum.id, message_id=99)
        alpha = forum.topic("Alpha")
        await line.ok("closeForumTopic", chat_id=forum.id, message_thread_id=alpha)
        unknown = await line.error("closeForumTopic", chat_id=forum.id, message_thread_id=99)
        await line.ok("leaveChat", chat_id=forum.id)
        left = await line.error("sendMessage", chat_id=forum.id, text="x")
    assert missing == (400, "Bad Request: message to react not found")
    assert unknown == (400, "Bad Request: message thread not found")
    assert left == (403, "Forbidden: bot is not a member of the supergroup chat")
