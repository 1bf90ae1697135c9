"""Methods that change or take away what stands in a chat, and answers to pressed buttons."""

from tests.fakes.telegram.asks import Ask, method
from tests.fakes.telegram.chats import Chat
from tests.fakes.telegram.do_send import rich_content
from tests.fakes.telegram.keyboards import inline_keyboard
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.texts import Formatted, caption, message_text, names
from tests.fakes.telegram.wire import Json, bad

_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a "
    "current content and reply markup of the message"
)
_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
_LONGEST_NOTICE = 200


def _editable(ask: Ask) -> Message:
    message = ask.message(ask.chat(), "edit")
    if message.author is not ask.world.bot or message.service:
        raise bad("message can't be edited")
    return message


def _change(ask: Ask, message: Message, content: Formatted, rich: Json | None = None) -> Json:
    keyboard = inline_keyboard(ask.get("reply_markup"))
    content = names(content, ask.world.user)
    if message.rich == rich and message.same_as(content, keyboard):
        raise bad(_NOT_MODIFIED)
    message.rich = rich
    message.change(content, keyboard)
    ask.world.bell.ring()
    return message.told()


@method("editMessageText")
async def edit_message_text(ask: Ask) -> Json:
    if ask.get("rich_message") is not None:
        content, rich = rich_content(ask)
        return _change(ask, _editable(ask), content, rich)
    content = message_text(ask.parameters, "MESSAGE_TOO_LONG")
    message = _editable(ask)
    if message.media is not None:
        raise bad("there is no text in the message to edit")
    return _change(ask, message, content)


@method("editMessageCaption")
async def edit_message_caption(ask: Ask) -> Json:
    content = caption(ask.parameters)
    message = _editable(ask)
    if message.media is None:
        raise bad("there is no caption in the message to edit")
    return _change(ask, message, content)


@method("editMessageReplyMarkup")
async def edit_message_reply_markup(ask: Ask) -> Json:
    message = _editable(ask)
    return _change(ask, message, message.content, message.rich)


def _delete(chat: Chat, message: Message) -> None:
    bot = chat.world.bot
    if message.author is not bot and chat.kind != "private" and not chat.administrates(bot):
        raise bad("message can't be deleted")
    chat.remove(message)


@method("deleteMessage")
async def delete_message(ask: Ask) -> bool:
    chat = ask.chat()
    _delete(chat, ask.message(chat, "delete"))
    return True


@method("deleteMessages")
async def delete_messages(ask: Ask) -> bool:
    """Those that are not found are skipped."""
    chat = ask.chat()
    wanted = ask.get("message_ids")
    if not 1 <= len(wanted) <= 100:
        raise bad(
            "too many message identifiers specified" if wanted else "message identifiers are not specified"
        )
    for message in [found for each in wanted if (found := chat.find(each)) is not None]:
        _delete(chat, message)
    return True


@method("answerCallbackQuery")
async def answer_callback_query(ask: Ask) -> bool:
    press = ask.world.press_in_time(ask.get("callback_query_id"))
    if press is None:
        raise bad(_TOO_OLD)
    if len(str(ask.get("text", ""))) > _LONGEST_NOTICE:
        raise bad("MESSAGE_TOO_LONG")
    press.answer(ask.parameters)
    return True
