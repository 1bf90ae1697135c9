"""Places where the bot is only as an app that one person has installed, as Discord tells of them."""

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from simcord.backend import models, serializers

from tests.fakes.discord.wire import Json

if TYPE_CHECKING:
    from tests.fakes.discord.world import World

MAY = str((1 << 10) | (1 << 11) | (1 << 35))  # see the channel, send messages, use commands


class Place(Enum):
    """What kind of place it is."""

    PRIVATE = "the private chat of two others"
    GROUP = "a group chat"
    SERVER = "a server in which the bot is no member"


def told_as_guest(world: "World", told: Json) -> None:
    """An interaction as it comes from there: by whose installation, and in which surroundings."""
    place = world.foreign[int(told["channel_id"])]
    user = told.pop("user")
    channel = told.setdefault("channel", {})
    told["authorizing_integration_owners"] = {"1": str(user["id"])}
    told["app_permissions"] = "0"
    told["context"] = 0 if place is Place.SERVER else 2
    if place is not Place.SERVER:
        told["user"] = user
        channel["type"] = 1 if place is Place.PRIVATE else 3
        return
    guild = str(int(told["channel_id"]) + 1)
    told["guild_id"] = guild
    told["guild"] = {"id": guild, "locale": "en-US", "features": []}
    told["member"] = {
        "user": user,
        "roles": [],
        "permissions": MAY,
        "joined_at": "2026-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
    }
    more: dict[str, Any] = {
        "id": told["channel_id"],
        "type": 0,
        "guild_id": guild,
        "name": "geral",
        "position": 0,
        "permissions": MAY,
        "permission_overwrites": [],
    }
    told["channel"] = more


def slash(
    world: "World", channel: int, user: models.User, name: str, options: Mapping[str, Any]
) -> models.Interaction:
    """A command of an app that the person has installed; it must be meant for such places."""
    told = [_option(world, channel, name, key, value) for key, value in options.items()]
    return _command(world, channel, user, name, told)


def autocomplete(
    world: "World", channel: int, user: models.User, name: str, *, option: str, typed: str
) -> models.Interaction:
    """The person types into an option of such a command."""
    told = _option(world, channel, name, option, typed) | {"focused": True}
    return _command(world, channel, user, name, [told])


def _known(world: "World", channel: int, name: str) -> Json:
    command = world.backend.find_command(name, None)
    context = 0 if world.foreign[channel] is Place.SERVER else 2
    if command is None or context not in (command.get("contexts") or ()):
        raise LookupError(f"/{name} may not be used in {world.foreign[channel].value}")
    if 1 not in (command.get("integration_types") or ()):
        raise LookupError(f"/{name} cannot be installed by a person")
    return dict(command)


def _option(world: "World", channel: int, name: str, option: str, value: Any) -> Json:
    kinds = {each["name"]: each["type"] for each in _known(world, channel, name).get("options") or []}
    return {"name": option, "type": kinds[option], "value": value}


def _command(
    world: "World", channel: int, user: models.User, name: str, options: list[Json]
) -> models.Interaction:
    command = _known(world, channel, name)
    kind = 4 if any(option.get("focused") for option in options) else 2
    record = world.backend.new_interaction(kind, channel, user.id, None)
    record.command_name, record.command_type = name, 1
    data = {"id": command["id"], "name": command["name"], "type": 1, "options": options}
    _tell(world, record, user, data, {})
    return record


def click(world: "World", message: models.Message, user: models.User, custom_id: str) -> models.Interaction:
    """A button under what the app has said there."""
    record = world.backend.new_interaction(3, message.channel_id, user.id, None)
    record.source_message_id = message.id
    shown = {"message": dict(serializers.message_payload(world.backend, message))}
    _tell(world, record, user, {"custom_id": custom_id, "component_type": 2}, shown)
    return record


def _tell(
    world: "World", record: models.Interaction, user: models.User, data: Json, more: Mapping[str, Any]
) -> None:
    backend = world.backend
    channel = backend.get_channel(record.channel_id)
    world.stage._notify_dispatch_observers(record)
    told: Json = {
        "id": str(record.id),
        "application_id": str(backend.application_id),
        "type": record.type,
        "token": record.token,
        "version": 1,
        "data": data,
        "channel_id": str(channel.id),
        "channel": dict(serializers.channel_payload(backend, channel)),
        "user": dict(serializers.user_payload(user)),
        "locale": "",
        "app_permissions": "0",
        "entitlements": [],
        "authorizing_integration_owners": {},
        "attachment_size_limit": 26214400,
        **more,
    }
    backend.emit("INTERACTION_CREATE", told)
