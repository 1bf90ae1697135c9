"""Who is there."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simcord.actors import MemberActor
from simcord.backend import models
from simcord.builders import GuildHandle, UserHandle

if TYPE_CHECKING:
    from tests.fakes.discord.world import World


@dataclass(eq=False)
class Person:
    """`locale` is the language of their client."""

    world: "World"
    user: models.User
    locale: str

    @property
    def id(self) -> int:
        return self.user.id

    @property
    def name(self) -> str:
        return self.user.global_name or self.user.name

    def handle(self) -> UserHandle:
        return UserHandle(self.world.env, self.user)

    def actor(self, guild: models.Guild | None) -> UserHandle | MemberActor:
        """As simcord knows a person: in a private chat, or as a member of a guild."""
        if guild is None:
            return self.handle()
        return MemberActor(self.world.env, GuildHandle(self.world.env, guild), self.handle())
