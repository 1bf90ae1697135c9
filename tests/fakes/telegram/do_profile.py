"""Methods about the bot itself."""

from tests.fakes.telegram.asks import Ask, method
from tests.fakes.telegram.wire import Json


@method("getMe")
async def get_me(ask: Ask) -> Json:
    return ask.world.bot.user() | {
        "can_join_groups": True,
        "can_read_all_group_messages": not ask.world.switches.privacy,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
    }


@method("setMyCommands")
async def set_my_commands(ask: Ask) -> bool:
    ask.world.profile.set_commands(ask.parameters)
    return True


@method("getMyCommands")
async def get_my_commands(ask: Ask) -> list[Json]:
    profile = ask.world.profile
    return profile.commands.get(profile.key(ask.parameters), [])


@method("deleteMyCommands")
async def delete_my_commands(ask: Ask) -> bool:
    profile = ask.world.profile
    profile.commands.pop(profile.key(ask.parameters), None)
    return True


_TEXTS = {"Description": "description", "ShortDescription": "short_description", "Name": "name"}


def _which(ask: Ask) -> str:
    return _TEXTS[ask.method[5:]]


@method("setMyDescription", "setMyShortDescription", "setMyName")
async def set_my_text(ask: Ask) -> bool:
    ask.world.profile.set_text(_which(ask), ask.parameters)
    return True


@method("getMyDescription", "getMyShortDescription", "getMyName")
async def get_my_text(ask: Ask) -> Json:
    what = _which(ask)
    return {what: ask.world.profile.text(what, ask.parameters)}


@method("setChatMenuButton")
async def set_chat_menu_button(ask: Ask) -> bool:
    ask.world.profile.menu_button = ask.get("menu_button") or {"type": "default"}
    return True


@method("getChatMenuButton")
async def get_chat_menu_button(ask: Ask) -> Json:
    return ask.world.profile.menu_button
