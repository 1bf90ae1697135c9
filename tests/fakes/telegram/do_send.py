"""Methods that put something into a chat."""

import mimetypes
import struct

from tests.fakes.telegram.asks import Ask, method
from tests.fakes.telegram.chats import Chat
from tests.fakes.telegram.drafts import Draft
from tests.fakes.telegram.keyboards import inline_keyboard
from tests.fakes.telegram.messages import Media, Message
from tests.fakes.telegram.schema import Upload
from tests.fakes.telegram.texts import LONGEST_TEXT, Formatted, caption, formatted, message_text, names, units
from tests.fakes.telegram.wire import NOT_FOUND, ApiError, Json, bad

_ACTIONS = frozenset(
    (
        "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
        "upload_document", "choose_sticker", "find_location", "record_video_note", "upload_video_note",
    )
)  # fmt: skip
_IMAGES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM")
_LONGEST_RICH = 32_768


def _reply(ask: Ask, chat: Chat) -> Message | None:
    wanted: Json = ask.get("reply_parameters") or {}
    message_id = wanted.get("message_id", ask.get("reply_to_message_id"))
    if not message_id:
        return None
    found = chat.find(message_id)
    lenient = wanted.get("allow_sending_without_reply", ask.get("allow_sending_without_reply"))
    if found is None and not lenient:
        raise bad("message to be replied not found")
    return found


def _quote(ask: Ask, answered: Message | None) -> Json | None:
    """The part of the message that is answered; it must stand there, word for word."""
    wanted: Json = ask.get("reply_parameters") or {}
    if answered is None or not wanted.get("quote"):
        return None
    quoted = formatted(
        str(wanted["quote"]), wanted.get("quote_entities") or (), wanted.get("quote_parse_mode"), detect=False
    )
    before, found, _ = answered.text.partition(quoted.text)
    if not found:
        raise bad("QUOTE_TEXT_INVALID")
    told: Json = {"text": quoted.text, "position": units(before), "is_manual": True}
    return told | {"entities": list(quoted.entities)} if quoted.entities else told


def _put(ask: Ask, content: Formatted, media: Media | None = None, rich: Json | None = None) -> Json:
    chat = ask.chat()
    thread = ask.thread(chat)
    reply_to = _reply(ask, chat)
    quote = _quote(ask, reply_to)
    if thread is None:
        thread = chat.thread_of(reply_to)
    elif reply_to is None and chat.is_forum:
        reply_to = chat.find(thread)
    message = Message(
        chat,
        ask.world.next_message_id(chat),
        ask.world.bot,
        names(content, ask.world.user),
        keyboard=inline_keyboard(ask.get("reply_markup")),
        reply_to=reply_to,
        quote=quote,
        thread=thread,
        media=media,
        rich=rich,
    )
    return chat.put(message).told()


@method("sendMessage")
async def send_message(ask: Ask) -> Json:
    return _put(ask, message_text(ask.parameters))


def need_rich(ask: Ask) -> None:
    if not ask.world.switches.rich_messages:
        raise ApiError(404, NOT_FOUND)


def rich_content(ask: Ask) -> tuple[Formatted, Json]:
    """A person sees the source; blocks of it are one paragraph here."""
    need_rich(ask)
    given: Json = ask.get("rich_message") or {}
    sources = [str(given[name]) for name in ("markdown", "html") if given.get(name)]
    if len(sources) + bool(given.get("blocks")) != 1:
        raise bad("exactly one of html, markdown and blocks must be specified")
    source = sources[0] if sources else ""
    if len(source) > _LONGEST_RICH:
        raise bad("RICH_MESSAGE_TOO_LONG")
    blocks = given.get("blocks") or [{"type": "paragraph", "text": source}]
    return Formatted(source), {"blocks": blocks}


@method("sendRichMessage")
async def send_rich_message(ask: Ask) -> Json:
    content, rich = rich_content(ask)
    return _put(ask, content, rich=rich)


def _dimensions(data: bytes) -> tuple[int, int]:
    if data.startswith(_IMAGES[0]) and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return int(width), int(height)
    return 800, 600


@method("sendPhoto")
async def send_photo(ask: Ask) -> Json:
    photo = ask.upload_or_known("photo")
    if isinstance(photo, Upload):
        if not photo.data.startswith(_IMAGES):
            raise bad("IMAGE_PROCESS_FAILED")
        width, height = _dimensions(photo.data)
        if width + height > 10_000:
            raise bad("PHOTO_INVALID_DIMENSIONS")
        stored = ask.world.files.add(photo.data, "photos", "photo.jpg")
    else:
        known = ask.world.files.by_id(photo)
        if known is None:
            raise bad("wrong remote file identifier specified: Wrong string length")
        stored, width, height = known, 800, 600
    told = [stored.named() | {"width": width, "height": height}]
    return _put(ask, caption(ask.parameters), Media("photo", told, stored))


@method("sendDocument")
async def send_document(ask: Ask) -> Json:
    document = ask.upload_or_known("document")
    if isinstance(document, Upload):
        stored = ask.world.files.add(document.data, "documents", document.name)
        mime = mimetypes.guess_type(document.name)[0] or document.mime or "application/octet-stream"
        told = stored.named() | {"file_name": document.name, "mime_type": mime}
    else:
        known = ask.world.files.by_id(document)
        if known is None:
            raise bad("wrong remote file identifier specified: Wrong string length")
        stored, told = known, known.named()
    return _put(ask, caption(ask.parameters), Media("document", told, stored))


@method("sendChatAction")
async def send_chat_action(ask: Ask) -> bool:
    action = ask.get("action")
    if action not in _ACTIONS:
        raise bad("wrong parameter action in request")
    chat = ask.chat()
    chat.actions.append((ask.thread(chat), action))
    ask.world.bell.ring()
    return True


@method("sendMessageDraft")
async def send_message_draft(ask: Ask) -> bool:
    given = formatted(
        str(ask.get("text", "")), ask.get("entities") or (), ask.get("parse_mode"), detect=False
    )
    if given.units > LONGEST_TEXT:
        raise bad("message is too long")
    return _draft(ask, given)


@method("sendRichMessageDraft")
async def send_rich_message_draft(ask: Ask) -> bool:
    content, _ = rich_content(ask)
    return _draft(ask, content)


def _draft(ask: Ask, content: Formatted) -> bool:
    chat = ask.chat()
    if chat.kind != "private":
        raise bad("TEXTDRAFT_PEER_INVALID")
    if not ask.get("draft_id"):
        raise bad("RANDOM_ID_INVALID")
    chat.draft_log.show(
        Draft(
            ask.get("draft_id"),
            names(content, ask.world.user),
            ask.get("message_thread_id"),
            bool(ask.get("can_stop")),
            bool(ask.get("keep_on_stop")),
        )
    )
    ask.world.bell.ring()
    return True
