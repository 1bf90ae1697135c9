"""The front desk: who asks, what is asked, and the cards that answer it."""

import asyncio
import difflib
import re
import secrets
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, replace
from functools import partial

import structlog

from bot import present
from bot.cards import Button, Card, Notice, Reply, Tone
from bot.commands import BY_NAME, COMMANDS, Command
from bot.desk import chat as chat_desk
from bot.desk.ask import Ask
from bot.surface import Completion, Incoming, MenuItem
from bot.texts import LANGUAGES, Speech, match
from core.conversation import ChatRef
from core.engine import Engine
from core.errors import Problem

log = structlog.get_logger(__name__)

PAUSE = 1800.0  # seconds of silence after which every model is verified before the next answer
_COMMAND = re.compile(r"^/([^\W\d_]\w*)(?:@\w+)?(?:\s+(.*))?$", re.DOTALL)
COMPLETIONS = 25


@dataclass(eq=False)
class _Running:
    """An answer under way, and the task that waits for its next card."""

    task: "asyncio.Task[object]"
    stopped: bool = False

    def stop(self) -> None:
        self.stopped = True
        self.task.cancel()


class Assistant:
    """The Responder of the program."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._running: defaultdict[ChatRef, set[_Running]] = defaultdict(set)
        self._order: dict[ChatRef, asyncio.Lock] = {}

    # ------------------------------------------------------------ the port

    async def respond(self, incoming: Incoming) -> AsyncIterator[Card]:
        """See `Responder.respond`. The iterator must be driven by one task, which `cancel` interrupts."""
        match_ = _COMMAND.match(incoming.text.strip())
        command = BY_NAME.get(match_[1].lower()) if match_ else None
        if match_ and command is None:
            yield self._unknown(match_[1], await self._speech(incoming))
            return
        argument = (match_[2] or "") if match_ else incoming.text.strip()
        async with aclosing(self._guarded(incoming, command, argument)) as cards:
            async for card in cards:
                yield card

    async def greet(self, incoming: Incoming) -> AsyncIterator[Card]:
        """See `Responder.greet`."""
        async with aclosing(self._guarded(incoming, BY_NAME["start"], "")) as cards:
            async for card in cards:
                yield card

    def menu(self, language: str | None) -> Sequence[MenuItem]:
        """See `Responder.menu`."""
        t = Speech(match(language, self._engine.settings.language))
        return [_item(command, t) for command in COMMANDS]

    async def complete(self, command: str, prefix: str) -> Sequence[Completion]:
        """See `Responder.complete`."""
        known = BY_NAME.get(command)
        match known.completes if known else "":
            case "models":
                return self._models_like(prefix)
            case "languages":
                return [
                    Completion(code, Speech(code)("language.name")) for code in LANGUAGES if prefix in code
                ]
            case _:
                return []

    def cancel(self, chat: ChatRef) -> bool:
        """See `Responder.cancel`."""
        running = [r for r in self._running.get(chat, ()) if not r.stopped]
        for one in running:
            one.stop()
        return bool(running)

    # ------------------------------------------------------------ answering

    async def _guarded(
        self, incoming: Incoming, command: Command | None, argument: str
    ) -> AsyncGenerator[Card]:
        """Every way an answer can end, as a card."""
        t = Speech(match(incoming.language, self._engine.settings.language))
        try:
            t = await self._speech(incoming)
            async with aclosing(self._in_order(incoming, command, argument, t)) as cards:
                async for card in cards:
                    yield card
        except Problem as problem:
            log.info("problem", chat=str(incoming.chat), problem=str(problem))
            yield present.trouble(problem, t)
        except Exception:
            reference = secrets.token_hex(3)
            log.exception("bug", chat=str(incoming.chat), reference=reference)
            body = t("problem.unknown_body", reference=reference)
            yield Notice(Tone.ERROR, t("problem.unknown"), body)

    async def _in_order(
        self, incoming: Incoming, command: Command | None, argument: str, t: Speech
    ) -> AsyncGenerator[Card]:
        """One thing at a time in a chat; what overtakes does not wait."""
        overtakes = command is not None and command.overtakes
        turn = nullcontext() if overtakes else self._order.setdefault(incoming.chat, asyncio.Lock())
        task = asyncio.current_task()
        assert task is not None
        running = _Running(task)
        last: Card | None = None
        if not overtakes:
            self._running[incoming.chat].add(running)
        try:
            async with turn, aclosing(self._cards(incoming, command, argument, t)) as cards:
                async for card in cards:
                    last = card
                    yield card
        except asyncio.CancelledError:
            if not running.stopped:
                raise
            task.uncancel()
            yield self._stopped(last, t)
        finally:
            self._running[incoming.chat].discard(running)
            if not self._running[incoming.chat]:
                del self._running[incoming.chat]

    async def _cards(
        self, incoming: Incoming, command: Command | None, argument: str, t: Speech
    ) -> AsyncGenerator[Card]:
        ask = await self._ask(incoming, argument, t)
        if ask.returning and command is None:
            await self._engine.lifecycle.verify_all()
        run = command.run if command else chat_desk.talk
        async with aclosing(run(ask)) as cards:
            async for card in cards:
                yield card

    async def _ask(self, incoming: Incoming, argument: str, t: Speech) -> Ask:
        conversation = await self._engine.store.conversation(incoming.chat)
        now = self._engine.clock.time()
        returning = 0 < conversation.seen_at < now - PAUSE
        ask = Ask(
            incoming=incoming,
            argument=argument,
            conversation=conversation,
            engine=self._engine,
            t=t,
            menu=self.menu,
            stop=partial(self.cancel, incoming.chat),
            returning=returning,
        )
        await ask.remember(seen_at=now)
        return ask

    async def _speech(self, incoming: Incoming) -> Speech:
        conversation = await self._engine.store.conversation(incoming.chat)
        wanted = conversation.language or incoming.language
        return Speech(match(wanted, self._engine.settings.language))

    def _stopped(self, last: Card | None, t: Speech) -> Card:
        if isinstance(last, Reply) and last.text:
            buttons = (Button(t("button.retry"), "retry"),)
            return replace(last, done=True, footnote=t("reply.stopped"), buttons=buttons)
        return Notice(Tone.INFO, t("stop.done"), buttons=(Button(t("button.retry"), "retry"),))

    # ------------------------------------------------------------ words

    def _unknown(self, name: str, t: Speech) -> Notice:
        near = difflib.get_close_matches(name.lower(), BY_NAME, n=3, cutoff=0.5)
        buttons = tuple(Button(f"/{one}", one) for one in near)
        body = t("unknown.near") if near else t("unknown.help")
        return Notice(Tone.ERROR, t("unknown.command", name=name[:40]), body, buttons)

    def _models_like(self, prefix: str) -> list[Completion]:
        t = Speech(self._engine.settings.language)
        wanted = prefix.lower()
        visible = [m for m in self._engine.catalog.models() if not m.by_name_only]
        found = [m for m in visible if wanted in m.key.lower() or wanted in m.name.lower()]
        # Best first: those that begin with what was typed, before or after the publisher.
        found.sort(key=lambda m: not (m.key.lower().startswith(wanted) or f"/{wanted}" in m.key.lower()))
        return [
            Completion(m.key, f"{present.mark(m, t)} {m.name}", present.model_detail(m, t))
            for m in found[:COMPLETIONS]
        ]


def _item(command: Command, t: Speech) -> MenuItem:
    key = f"command.{command.name}"
    arguments = t(f"{key}.arguments") if t.has(f"{key}.arguments") else ""
    return MenuItem(command.name, command.aliases, t(f"{key}.summary"), arguments)
