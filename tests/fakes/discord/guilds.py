"""A guild with its members, roles and channels; who makes it is almighty."""

from collections.abc import Sequence

import discord
from simcord.backend import models
from simcord.backend.models import Overwrite
from simcord.enums import OverwriteType

from tests.fakes.discord.channels import Channel
from tests.fakes.discord.people import Person
from tests.fakes.discord.world import World


class Guild:
    def __init__(self, world: World, stored: models.Guild) -> None:
        self.world = world
        self.stored = stored

    @property
    def id(self) -> int:
        return self.stored.id

    def add(self, *people: Person) -> None:
        for person in people:
            self.world.backend.add_member(self.id, person.id, announce=True)

    def give(self, person: Person, role: str, **permissions: bool) -> models.Role:
        """A new role with these permissions: `give(ana, "mods", manage_guild=True)`."""
        value = discord.Permissions(**permissions).value
        made = self.world.backend.create_role(self.id, role, permissions=value)
        self.world.backend.add_member_role(self.id, person.id, made.id)
        return made

    def channel(self, name: str, *, hidden_from: Sequence[int] = ()) -> Channel:
        """A text channel; members or roles (also the bot) to whom it is closed."""
        view = discord.Permissions(view_channel=True).value
        closed = [
            Overwrite(
                each, OverwriteType.ROLE if each in self.stored.roles else OverwriteType.MEMBER, 0, view
            )
            for each in hidden_from
        ]
        made = self.world.backend.create_channel(self.id, name, overwrites=closed)
        return self.world.channel(made.id)
