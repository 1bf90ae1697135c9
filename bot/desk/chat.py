"""Plain messages, and what has to do with the conversation itself."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from bot.cards import Card, Notice, Tone
from bot.desk.answering import Wish, answer, answer_again
from bot.desk.ask import Ask
from bot.trouble import report
from core.chat import Said
from core.errors import StorageFailed


async def talk(ask: Ask) -> AsyncGenerator[Card]:
    """Answer a plain message."""
    incoming = ask.incoming
    try:
        said = Said(incoming.pictures, incoming.message, incoming.reply_to)
        question = await ask.engine.chat.asked(ask.conversation, ask.argument, said)
    except StorageFailed as trouble:  # a full disk is no reason to be silent
        report(trouble, "question not stored")
        ask.unremembered = trouble
        question = ask.engine.chat.passing(ask.argument, incoming.pictures)
    async with aclosing(answer(ask, question)) as cards:
        async for card in cards:
            yield card


async def retry(ask: Ask) -> AsyncGenerator[Card]:
    """Answer the last question again, or the one of the message that is replied to (or whose button was pressed)."""
    incoming = ask.incoming
    turn = await ask.engine.chat.question_of(incoming.chat, incoming.reply_to) if incoming.reply_to else None
    async with aclosing(answer_again(ask, turn, Wish())) as cards:
        async for card in cards:
            yield card


async def new(ask: Ask) -> AsyncGenerator[Card]:
    """Begin anew: what was said before no longer counts."""
    turns = await ask.engine.store.turns(ask.incoming.chat, limit=1)
    await ask.remember(began=turns[-1].id if turns else 0, trimmed_told=False)
    yield Notice(Tone.SUCCESS, ask.t("new.done"))


async def stop(ask: Ask) -> AsyncGenerator[Card]:
    """Stop what is under way in this chat."""
    yield Notice(Tone.INFO, ask.t("stop.done" if ask.stop() else "stop.nothing"))


async def system(ask: Ask) -> AsyncGenerator[Card]:
    """Show, set or clear (`-`) the conversation's instruction."""
    text = ask.argument.strip()
    if not text:
        current = ask.conversation.system
        body = current or ask.t("system.none")
        yield Notice(Tone.INFO, ask.t("system.show"), body)
    elif text == "-":
        await ask.remember(system="")
        yield Notice(Tone.SUCCESS, ask.t("system.cleared"))
    else:
        await ask.remember(system=text)
        yield Notice(Tone.SUCCESS, ask.t("system.set"), text)
