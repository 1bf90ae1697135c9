"""A gateway session: what a shard may know, numbered, kept for a RESUME."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import discord
from simcord import intents as rules

from tests.fakes.discord.guests import told_as_guest
from tests.fakes.discord.wire import Json
from tests.fakes.discord.world import World

if TYPE_CHECKING:
    from tests.fakes.discord.gateway import Connection


@dataclass(eq=False)
class Session:
    id: str
    world: World
    shard: tuple[int, int]
    intents: discord.Intents
    number: int = 0
    kept: list[tuple[int, str]] = field(default_factory=list)  # everything ever sent, for a replay
    connection: "Connection | None" = None

    def dispatch(self, event: str, payload: Mapping[str, Any]) -> None:
        """Number an event and send it, now or with the next RESUME."""
        self.number += 1
        text = json.dumps({"op": 0, "t": event, "s": self.number, "d": payload}, ensure_ascii=False)
        self.kept.append((self.number, text))
        if self.connection is not None:
            self.connection.send(text)

    def replay(self, since: int) -> None:
        """Send again what came after event `since`, then say that all is told."""
        missed = [text for number, text in self.kept if number > since]
        assert self.connection is not None
        for text in missed:
            self.connection.send(text)
        self.dispatch("RESUMED", {})

    # ------------------------------------------------------------ what it may know

    def concerns(self, event: str, payload: Mapping[str, Any]) -> bool:
        """Guilds are shared among the shards; private chats belong to the first."""
        guild = payload.get("guild_id")
        if guild is None and event in ("GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE"):
            guild = payload.get("id")
        number, count = self.shard
        return number == (0 if guild is None else (int(guild) >> 22) % count)

    def publish(self, event: str, payload: Mapping[str, Any]) -> None:
        """An event, if this session may know it, with only what it may know of it."""
        if not self.concerns(event, payload):
            return
        wanted = rules.required_intent(event, payload)
        if wanted is not None and not getattr(self.intents, wanted):
            return
        told: Json = copy.deepcopy(dict(payload))
        if event == "INTERACTION_CREATE":
            self._complete_interaction(told)
        if event == "GUILD_CREATE":
            rules.prune_guild_create(told, self.intents, self.world.bot_id)
        if not self.intents.message_content:
            self._censor(event, told)
        self.dispatch(event, told)

    def _complete_interaction(self, told: Json) -> None:
        """The person's own language, which simcord does not know, and who installed the app."""
        user = told.get("user") or told["member"]["user"]
        person = self.world.people.get(int(user["id"]))
        if person is not None:
            told["locale"] = person.locale
        if int(told["channel_id"]) in self.world.foreign:
            told_as_guest(self.world, told)
        if not told["authorizing_integration_owners"]:
            told["authorizing_integration_owners"] = {"0": told.get("guild_id") or "0"}

    def _censor(self, event: str, told: Json) -> None:
        bot, backend = self.world.bot_id, self.world.backend
        if event in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            rules.censor_message(told, bot, backend=backend)
        elif event == "INTERACTION_CREATE" and isinstance(told.get("message"), dict):
            rules.censor_message(told["message"], bot, backend=backend, exempt_root=True)
