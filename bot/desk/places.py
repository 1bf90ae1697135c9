"""Where the bot listens, and conversations of their own: what only some platforms have."""

from collections.abc import AsyncGenerator

from bot.cards import Card, Notice, Tone
from bot.desk.ask import Ask


async def here(ask: Ask) -> AsyncGenerator[Card]:
    """Listen to everything that is written in this channel, or no longer."""
    t, chat, places = ask.t, ask.incoming.chat, ask.engine.places
    if ask.incoming.private:
        yield Notice(Tone.INFO, t("here.private"))
    elif not ask.incoming.hears and not places.listens(chat):
        yield Notice(Tone.INFO, t("here.elsewhere"), t("here.elsewhere_body"))
    elif places.listens(chat):
        await places.listen(chat, on=False)
        yield Notice(Tone.SUCCESS, t("here.off"), t("here.off_body"))
    else:
        await places.listen(chat, on=True)
        yield Notice(Tone.SUCCESS, t("here.on"), t("here.on_body"))


async def thread(ask: Ask) -> AsyncGenerator[Card]:
    """Where a platform opens threads it does so itself; everywhere else there is `/new`."""
    yield Notice(Tone.INFO, ask.t("thread.elsewhere"), ask.t("thread.elsewhere_body"))
