"""Methods about chats, their members and topics, and files."""

from tests.fakes.telegram.asks import Ask, method
from tests.fakes.telegram.chats import Chat
from tests.fakes.telegram.wire import ApiError, Json, bad


@method("getChat")
async def get_chat(ask: Ask) -> Json:
    return ask.chat(write=False).full()


@method("getChatMember")
async def get_chat_member(ask: Ask) -> Json:
    chat = ask.chat(write=False)
    return chat.member(ask.person())


@method("getChatAdministrators")
async def get_chat_administrators(ask: Ask) -> list[Json]:
    chat = ask.chat(write=False)
    if chat.kind == "private":
        raise bad("there are no administrators in the private chat")
    return [chat.member(person) for person in chat.administrators()]


@method("getChatMemberCount")
async def get_chat_member_count(ask: Ask) -> int:
    chat = ask.chat(write=False)
    return sum(1 for person in map(ask.world.people.get, chat.statuses) if person and chat.present(person))


@method("leaveChat")
async def leave_chat(ask: Ask) -> bool:
    ask.chat().statuses[ask.world.bot.id] = "left"
    return True


@method("pinChatMessage", "unpinChatMessage", "setMessageReaction")
async def touch_message(ask: Ask) -> bool:
    chat = ask.chat()
    if ask.get("message_id") is not None:
        ask.message(chat, "react" if ask.method == "setMessageReaction" else "pin")
    return True


# ---------------------------------------------------------------- topics


def _forum(ask: Ask) -> Chat:
    chat = ask.chat()
    if not chat.is_forum:
        raise bad("the chat is not a forum")
    if not chat.administrates(ask.world.bot):
        raise bad("not enough rights to manage topics")
    return chat


@method("createForumTopic")
async def create_forum_topic(ask: Ask) -> Json:
    chat = _forum(ask)
    topic = chat.topics[await chat.open_topic(ask.world.bot, ask.get("name"))]
    return {"message_thread_id": topic.id, "name": topic.name, "icon_color": topic.icon_color}


@method("closeForumTopic")
async def close_forum_topic(ask: Ask) -> bool:
    chat = _forum(ask)
    if ask.get("message_thread_id") not in chat.topics:
        raise bad("message thread not found")
    await chat.close_topic(ask.get("message_thread_id"))
    return True


# ---------------------------------------------------------------- files


@method("getFile")
async def get_file(ask: Ask) -> Json:
    stored = ask.world.files.by_id(ask.get("file_id"))
    if stored is None:
        raise ApiError(400, "Bad Request: invalid file_id")
    if stored.size > ask.world.switches.largest_download:
        raise bad("file is too big")
    return stored.named() | {"file_path": stored.path}
