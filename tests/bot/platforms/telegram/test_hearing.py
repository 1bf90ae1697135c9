"""What of all that is written is meant for the bot, and what was said."""

from typing import Any

import pytest

from bot.platforms.telegram.hearing import Attached, Spot, hear
from core.conversation import ChatRef
from tests.bot.platforms.telegram.messages import ANA, FORUM, GROUP, ME, PRIVATE, mention, message

COMMANDS = {"models", "modelos", "stop"}
BY_ME = {"message_id": 4, "date": 1, "chat": GROUP, "from": ME.to_dict(), "text": "x"}
BY_BIA = BY_ME | {"from": ANA | {"id": 43}}
ALIEN = {"id": 9, "is_bot": True, "first_name": "B"}


def text_of(text: str, chat: dict[str, Any], **fields: Any) -> str | None:
    heard = hear(message(text, chat, **fields), ME, COMMANDS)
    return None if heard is None else heard.text


def test_a_private_message() -> None:
    """Everything is said to the bot; who, where and in which language is known."""
    heard = hear(message(" oi "), ME, COMMANDS)
    assert heard is not None
    assert (heard.text, heard.person, heard.language) == ("oi", "telegram:42", "pt-br")
    assert heard.spot == Spot(42)
    assert heard.spot.ref == ChatRef("telegram", "42", "0")


def test_a_topic_is_a_conversation_of_its_own() -> None:
    """The thread of a topic counts, that of a mere chain of replies does not; buttons belong to the asker."""
    heard = hear(message("/models", FORUM, message_thread_id=9, is_topic_message=True), ME, COMMANDS)
    assert heard is not None
    assert heard.spot == Spot(-100500, 9, 42, 5)
    assert str(heard.spot.ref) == "telegram:-100500:9"
    chained = hear(message("/models", GROUP, message_thread_id=9), ME, COMMANDS)
    assert chained is not None
    assert str(chained.spot.ref) == "telegram:-100500:0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/models", "/models"),
        ("/models@orq_bot nova 2", "/models nova 2"),
        ("/MODELOS@ORQ_BOT", "/MODELOS"),
        ("/other", None),
        ("/other@orq_bot", "/other"),
        ("/models@another_bot", None),
        ("oi", None),
        ("/", None),
        ("5/models", None),
    ],
)
def test_commands_in_a_group(text: str, said: str | None) -> None:
    """Ours, and any that names the bot; those of other bots are not ours."""
    assert text_of(text, GROUP) == said


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("@orq_bot que horas são?", "@orq_bot", "que horas são?"),
        ("@ORQ_Bot, que horas são?", "@ORQ_Bot", "que horas são?"),
        ("🙂 e você, @orq_bot, o que acha?", "@orq_bot", "🙂 e você, o que acha?"),
        ("diga @orq_bot tudo", "@orq_bot", "diga tudo"),
        ("que horas são @orq_bot", "@orq_bot", "que horas são"),
        ("@orq_bot /models nova", "@orq_bot", "/models nova"),
        ("@orq_bot", "@orq_bot", "/start"),
    ],
)
def test_mentions(text: str, name: str, said: str) -> None:
    """The name is taken out, wherever it stands."""
    assert text_of(text, GROUP, entities=[mention(text, name)]) == said


def test_a_mention_of_a_bot_without_its_name() -> None:
    """Also as a link to the bot itself; another's name is none of ours."""
    text = "Bot, oi"
    me, other = ME.to_dict(), ALIEN
    assert text_of(text, GROUP, entities=[mention(text, "Bot", "text_mention", user=me)]) == "oi"
    assert text_of(text, GROUP, entities=[mention(text, "Bot", "text_mention", user=other)]) is None
    assert text_of("@orq_bot2 oi", GROUP, entities=[mention("@orq_bot2 oi", "@orq_bot2")]) is None


def test_replies() -> None:
    """To a message of the bot; everything in a topic replies to its beginning, which is none."""
    assert text_of("e?", GROUP, reply_to_message=BY_ME) == "e?"
    assert text_of("e?", GROUP, reply_to_message=BY_BIA) is None
    opened = BY_ME | {"forum_topic_created": {"name": "T", "icon_color": 1}}
    assert text_of("e?", FORUM, reply_to_message=opened) is None


def test_what_somebody_else_said_is_quoted() -> None:
    """A mention in an answer to another's message is about that; what the bot said is in the conversation."""
    me = {"entities": [mention("@orq_bot é?", "@orq_bot")]}
    assert text_of("@orq_bot é?", GROUP, reply_to_message=BY_BIA | {"text": "a\nb"}, **me) == "> a\n> b\n\né?"
    assert text_of("@orq_bot é?", GROUP, reply_to_message=BY_ME, **me) == "é?"
    part = {"text": "b", "position": 2}
    assert text_of("@orq_bot é?", GROUP, reply_to_message=BY_BIA, quote=part, **me) == "> b\n\né?"
    assert text_of("/models", PRIVATE, reply_to_message=BY_BIA) == "/models"


@pytest.mark.parametrize("chat", [PRIVATE, GROUP])
def test_nobody_and_nothing(chat: dict[str, Any]) -> None:
    """Bots, channels and what Telegram itself says are not heard."""
    assert text_of("/models", chat, **{"from": ALIEN}) is None
    assert text_of("", chat, new_chat_title="x") is None
    assert text_of("/models", {"id": -1, "type": "channel", "title": "C"}) is None


def test_an_administrator_who_hides_is_heard() -> None:
    """They write as the group itself, and are the group: their account is that of all who hide, in every group."""
    hidden = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    heard = hear(message("/models", GROUP, **{"from": hidden, "sender_chat": GROUP}), ME, COMMANDS)
    assert heard is not None
    assert (heard.text, heard.person, heard.name) == ("/models", "telegram:-100500", "G")


def test_what_comes_with_words() -> None:
    """Photos and documents with their captions; everything else cannot be read."""
    photo = {"file_id": "a", "file_unique_id": "b", "width": 9, "height": 9}
    heard = hear(message(caption="vê", photo=[photo]), ME, COMMANDS)
    assert heard is not None
    assert heard.attached is not None
    assert (heard.text, len(heard.attached.photos)) == ("vê", 1)
    file = {"file_id": "a", "file_unique_id": "b", "file_name": "x.txt"}
    heard = hear(message(document=file), ME, COMMANDS)
    assert heard is not None
    assert heard.attached is not None
    assert heard.attached.document is not None
    animation = {"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1, "duration": 1}
    heard = hear(message(document=file, animation=animation), ME, COMMANDS)
    assert heard is not None
    assert heard.attached == Attached()
    voice = {"file_id": "a", "file_unique_id": "b", "duration": 1}
    heard = hear(message(voice=voice), ME, COMMANDS)
    assert heard is not None
    assert heard.attached == Attached()
    heard = hear(message("oi"), ME, COMMANDS)
    assert heard is not None
    assert heard.attached is None


@pytest.mark.parametrize(
    ("replied", "person", "name"),
    [
        (BY_BIA, "telegram:43", "Ana"),
        (BY_ME, "", ""),
        (BY_BIA | {"sender_chat": GROUP}, "", ""),
        (BY_BIA | {"forum_topic_created": {"name": "T", "icon_color": 1}}, "", ""),
    ],
)
def test_who_wrote_what_is_replied_to(replied: dict[str, Any], person: str, name: str) -> None:
    """A person is named, so that an administrator may let in whoever wrote it; a bot or a chat is nobody."""
    heard = hear(message("/models", GROUP, reply_to_message=replied), ME, COMMANDS)
    assert heard is not None
    assert (heard.reply_person, heard.reply_name) == (person, name)


FORWARDED = {"type": "hidden_user", "date": 1, "sender_user_name": "Zé"}


@pytest.mark.parametrize(
    ("text", "chat", "said"),
    [
        ("/unload nova force", PRIVATE, "\u2060/unload nova force"),
        ("/models", GROUP, None),
        ("/models@orq_bot", GROUP, None),
        ("veja isto", PRIVATE, "veja isto"),
    ],
)
def test_what_is_forwarded_commands_nothing(text: str, chat: dict[str, Any], said: str | None) -> None:
    """The words of somebody else: whoever asks about them must not do what they say."""
    assert text_of(text, chat, forward_origin=FORWARDED) == said
