"""The front desk: who asks, what is asked, and the cards that answer it."""

import asyncio
import difflib
import re
import secrets
from collections import OrderedDict, defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, replace
from functools import partial

import structlog

from bot import clean, present
from bot.cards import Button, Card, Notice, Reply, Tone
from bot.commands import ASKING, BY_NAME, COMMANDS, Command
from bot.desk import chat as chat_desk
from bot.desk.ask import Ask
from bot.desk.completing import Typing, completions
from bot.gate import Gate, may
from bot.panels import Panels
from bot.secrecy import Secrecy
from bot.surface import Brought, Completion, Incoming, MenuItem, Unfit
from bot.texts import Speech, match
from bot.trace import where
from bot.trouble import report
from core.conversation import ChatRef, Conversation
from core.engine import Engine
from core.errors import Problem, StorageFailed
from core.people import Role

log = structlog.get_logger(__name__)

UNLANDED = 1000  # answers of which the platform may still say where they stand
PAUSE = 1800.0  # seconds of silence after which every model is verified before the next answer
_COMMAND = re.compile(r"^/([^\W\d_]\w*)(?:@\w+)?(?:\s+(.*))?$", re.DOTALL)


@dataclass(eq=False)
class _Running:
    """An answer under way, and the task that waits for its next card."""

    task: "asyncio.Task[object]"
    who: str  # has asked it
    ask: Ask | None = None  # None while it waits for its turn
    stopped: bool = False
    leaving: bool = False  # not a person stopped it: the program ends

    def stop(self, *, leaving: bool = False) -> None:
        if not self.stopped:  # a second one would hit the card that says so
            self.stopped = True
            self.leaving = leaving
            self.task.cancel()


class Assistant:
    """The Responder of the program."""

    def __init__(self, engine: Engine, panels: Panels | None = None) -> None:
        self._engine = engine
        self._panels = panels
        self._gate = Gate(engine.access)
        self._secrecy = Secrecy(engine.asked)
        self._running: defaultdict[ChatRef, set[_Running]] = defaultdict(set)
        self._order: dict[ChatRef, asyncio.Lock] = {}
        self._memory = asyncio.Lock()
        # By identity, since a platform hands back the very object: two messages may say the same.
        self._asked: OrderedDict[int, tuple[Incoming | None, Ask | None, Command | None]] = OrderedDict()

    # ------------------------------------------------------------ the port

    async def respond(self, incoming: Incoming) -> AsyncIterator[Card]:
        """See `Responder.respond`. The iterator must be driven by one task, which `cancel` interrupts."""
        text = clean.spoken(incoming.text).strip()
        # What begins with something unseen only looks like a command.
        match_ = _COMMAND.match(text) if incoming.text.lstrip()[:1] == "/" else None
        command = BY_NAME.get(match_[1].lower()) if match_ else None
        argument = (match_[2] or "") if match_ else text
        if match_ and command is None:
            command, argument = _UNKNOWN, match_[1]
        if command is not None and command.name == ASKING:  # the same as without the word
            command = None
        incoming, command, argument = await self._secrecy.kept(incoming, command, argument, text)
        t = await self._speech(incoming) if incoming.erased is not None else None
        silent = True
        async with aclosing(self._guarded(incoming, command, argument)) as cards:
            async for card in cards:
                silent = False
                await self._secrecy.shown(incoming, card)
                yield card if t is None else self._secrecy.told(incoming, card, t)
        if silent and t is not None and (word := self._secrecy.alone(incoming, t)) is not None:
            yield word

    async def greet(self, incoming: Incoming) -> AsyncIterator[Card]:
        """See `Responder.greet`."""
        async with aclosing(self._guarded(incoming, BY_NAME["start"], "")) as cards:
            async for card in cards:
                yield card

    def menu(self, language: str | None) -> Sequence[MenuItem]:
        """See `Responder.menu`."""
        t = Speech(match(language, self._engine.settings.language))
        return [_item(command, t) for command in COMMANDS]

    async def complete(self, command: str, prefix: str, asker: Incoming) -> Sequence[Completion]:
        """See `Responder.complete`."""
        known = BY_NAME.get(command)
        if known is None or not may(self._gate.role(asker), known, "", asker):
            return []
        typing = Typing(
            known.name,
            prefix,
            asker,
            await self._speech(asker),
            lambda argument: may(self._gate.role(asker), known, argument, asker),
        )
        return await completions(known.completes, typing, self._engine)

    def welcome(self, incoming: Incoming) -> bool:
        """See `Responder.welcome`."""
        return self._gate.role(incoming) >= Role.GUEST

    def administers(self, incoming: Incoming) -> bool:
        """See `Responder.administers`."""
        return self._gate.role(incoming) is Role.ADMINISTRATOR

    def listens(self, chat: ChatRef) -> bool:
        """See `Responder.listens`."""
        return self._engine.places.listens(chat)

    def _menu_for(self, role: Role, incoming: Incoming, language: str | None) -> Sequence[MenuItem]:
        return [one for one in self.menu(language) if may(role, BY_NAME[one.name], "", incoming)]

    def cancel(self, chat: ChatRef, asker: str = "") -> bool:
        """See `Responder.cancel`."""
        running = [r for r in self._running.get(chat, ()) if not r.stopped and asker in {"", r.who}]
        for one in running:
            one.stop()
        return bool(running)

    async def moved(self, old: ChatRef, new: ChatRef) -> None:
        """See `Responder.moved`."""
        try:
            await self._engine.move_chat(old, new)
        except StorageFailed as full:
            log.warning("chat not moved", old=str(old), new=str(new), problem=str(full))
        else:
            log.info("chat moved", old=str(old), new=str(new))

    async def landed(self, incoming: Incoming, card: Card, messages: Sequence[str]) -> None:
        """See `Responder.landed`: a reply to one of those messages continues from there; lists stay alive."""
        asked, ask, command = self._asked.pop(id(incoming), (None, None, None))
        if asked is not incoming or ask is None or not messages:
            return
        if self._panels is not None:
            self._panels.landed(ask, card, messages, models=command is BY_NAME["models"])
        if not ask.question:
            return
        try:
            await self._engine.chat.stands_in(incoming.chat, ask.question, messages)
        except StorageFailed as full:  # the answer stands there all the same
            log.warning("messages not recorded", problem=str(full))

    def interrupt(self, chat: ChatRef) -> None:
        """Stop what is under way in that chat since the program ends; the last cards say so."""
        for one in list(self._running.get(chat, ())):
            one.stop(leaving=True)

    # ------------------------------------------------------------ answering

    async def _guarded(
        self, incoming: Incoming, command: Command | None, argument: str
    ) -> AsyncGenerator[Card]:
        """Every way an answer can end, as a card."""
        t = Speech(match(incoming.language, self._engine.settings.language))
        try:
            t = await self._speech(incoming)
            role = await self._gate.admit(incoming, command, argument)
            if role is None:
                return
            async with aclosing(self._in_order(incoming, command, argument, t, role)) as cards:
                async for card in cards:
                    yield self._gate.shown(card, role, incoming)
        except Unfit as unfit:
            yield unfit.card
        except Problem as problem:
            report(problem)
            yield present.trouble(problem, t)
        except Exception as bug:  # noqa: BLE001  # whatever it is, a person waits for a card
            reference = secrets.token_hex(3)
            log.error("bug", reference=reference, where=where(bug))  # noqa: TRY400  # its words may quote the person
            body = t("problem.unknown_body", reference=reference)
            yield Notice(Tone.ERROR, t("problem.unknown"), body)

    async def _in_order(
        self, incoming: Incoming, command: Command | None, argument: str, t: Speech, role: Role
    ) -> AsyncGenerator[Card]:
        """One thing at a time in a chat; what overtakes does not wait."""
        overtakes = command is not None and command.overtakes
        turn = nullcontext() if overtakes else self._order.setdefault(incoming.chat, asyncio.Lock())
        task = asyncio.current_task()
        assert task is not None
        running = _Running(task, incoming.who)
        last: Card | None = None
        if not overtakes:
            self._replace(incoming.chat, command.asks(argument) if command else None)
            self._running[incoming.chat].add(running)
        try:
            async with turn, aclosing(self._cards(incoming, command, argument, running, role)) as cards:
                async for card in cards:
                    last = card
                    yield card
        except asyncio.CancelledError:
            if not running.stopped:
                raise
            task.uncancel()
            yield self._stopped(last, t, leaving=running.leaving)
        finally:
            self._running[incoming.chat].discard(running)
            if not self._running[incoming.chat]:
                del self._running[incoming.chat]

    async def _cards(
        self, incoming: Incoming, command: Command | None, argument: str, running: _Running, role: Role
    ) -> AsyncGenerator[Card]:
        whole, argument = await self._whole(incoming, command, argument, role)
        ask = running.ask = await self._ask(whole, argument, role)
        self._asked[id(incoming)] = (incoming, ask, command)
        if len(self._asked) > UNLANDED:
            self._asked.popitem(last=False)
        if ask.returning and command is None:
            await self._engine.lifecycle.verify_all()
        run = command.run if command else chat_desk.talk
        async with aclosing(run(ask)) as cards:
            async for card in cards:
                yield card

    async def _whole(
        self, incoming: Incoming, command: Command | None, argument: str, role: Role
    ) -> tuple[Incoming, str]:
        """With what came along, which is fetched only now that it is its turn; what overtakes waits for nothing."""
        if incoming.bring is None:
            return incoming, argument
        brought = Brought() if command is not None and command.overtakes else await incoming.bring()
        argument = "\n\n".join(filter(None, (argument, clean.spoken(brought.text).strip())))
        incoming = replace(incoming, pictures=incoming.pictures + brought.pictures, bring=None)
        self._gate.judge(incoming, command, argument, role)
        return await self._secrecy.brought(incoming, command, argument), argument

    def _replace(self, chat: ChatRef, question: int | None) -> None:
        """Another model is to answer that question: nobody waits for the first one to load or to end."""
        for one in self._running.get(chat, ()):
            if question is not None and one.ask is not None and one.ask.question == question:
                one.stop()

    async def _ask(self, incoming: Incoming, argument: str, role: Role) -> Ask:
        conversation = await self._engine.store.conversation(incoming.chat)
        now = self._engine.clock.time()
        returning = 0 < conversation.seen_at < now - PAUSE
        ask = Ask(
            incoming=incoming,
            argument=argument,
            conversation=conversation,
            engine=self._engine,
            t=self._speech_of(conversation, incoming),  # only now: the message before may have changed it
            menu=partial(self._menu_for, role, incoming),
            # Among others one stops what one has asked; whoever administers the bot stops everything.
            stop=partial(self.cancel, incoming.chat, "" if role is Role.ADMINISTRATOR else incoming.who),
            expel=self._expel,
            memory=self._memory,
            role=role,
            returning=returning,
        )
        try:
            await ask.remember(seen_at=now)
        except StorageFailed as full:  # /stop and /status must work without the disk
            log.warning("visit not recorded", problem=str(full))
        return ask

    def _expel(self, who: str) -> None:
        for one in [one for running in self._running.values() for one in running if one.who == who]:
            one.stop()

    async def _speech(self, incoming: Incoming) -> Speech:
        return self._speech_of(await self._engine.store.conversation(incoming.chat), incoming)

    def _speech_of(self, conversation: Conversation, incoming: Incoming) -> Speech:
        wanted = conversation.language or incoming.language
        return Speech(match(wanted, self._engine.settings.language))

    def _stopped(self, last: Card | None, t: Speech, *, leaving: bool) -> Card:
        if isinstance(last, Reply) and last.done:
            return last
        buttons = (Button(t("button.retry"), "retry"),)
        if isinstance(last, Reply) and last.text:
            footnote = t("leave.cut" if leaving else "reply.stopped")
            return replace(last, done=True, footnote=footnote, buttons=buttons)
        if leaving:
            return Notice(Tone.WARNING, t("leave.cut"), buttons=buttons)
        return Notice(Tone.INFO, t("stop.done"), buttons=buttons)


async def _unknown(ask: Ask) -> AsyncGenerator[Card]:
    """A word after a slash that is no command of ours; those that resemble it are offered."""
    near = difflib.get_close_matches(ask.argument.lower(), BY_NAME, n=3, cutoff=0.5)
    buttons = tuple(Button(f"/{one}", one) for one in near)
    body = ask.t("unknown.near") if near else ask.t("unknown.help")
    yield Notice(Tone.ERROR, ask.t("unknown.command", name=ask.argument[:40]), body, buttons)


_UNKNOWN = Command("", (), _unknown, overtakes=True)


def _item(command: Command, t: Speech) -> MenuItem:
    key = f"command.{command.name}"
    arguments = t(f"{key}.arguments") if t.has(f"{key}.arguments") else ""
    secret = command.secret is not None
    return MenuItem(
        command.name,
        command.aliases,
        t(f"{key}.summary"),
        arguments,
        secret=secret,
        personal=command.personal,
    )
