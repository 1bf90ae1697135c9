"""The judge: calls the Bot API does not have are refused and remembered; tokens; the bot's profile."""

import json

import pytest

from tests.fakes.calling import Json, telegram
from tests.fakes.telegram.schema import MODELS
from tests.fakes.telegram.server import Violation


def test_judge_knows_the_whole_api() -> None:
    """All methods of the Bot API 10.3 are known, by any case."""
    assert len(MODELS) > 150
    assert {"sendmessage", "sendmessagedraft", "sendrichmessage", "getupdates"} <= set(MODELS)


@pytest.mark.parametrize(
    ("method", "parameters", "status", "problem"),
    [
        ("sendMesage", {}, 404, "unknown method"),
        ("sendDice", {"chat_id": 1}, 404, "this fake has no such method"),
        ("sendMessage", {"chat_id": 1}, 400, "text: Field required"),
        ("sendMessage", {"chat_id": 1, "text": "x", "colour": "red"}, 400, "unknown parameter colour"),
        ("sendMessage", {"chat_id": 1, "text": "x", "disable_notification": "maybe"}, 400, "disable_notification: "),
        ("editMessageText", {"chat_id": 1, "text": "x", "message_id": "last"}, 400, "message_id: "),
        (
            "sendMessage",
            {"chat_id": 1, "text": "x", "entities": [{"type": "bold", "offset": 0}]},
            400,
            "entities.0.length: Field required",
        ),
        (
            "sendMessage",
            {"chat_id": 1, "text": "x", "reply_markup": {"inline_keyboard": [[{"text": "b", "datum": "d"}]]}},
            400,
            "unknown field reply_markup.inline_keyboard[0][0].datum",
        ),
    ],
)  # fmt: skip
async def test_violations(method: str, parameters: Json, status: int, problem: str) -> None:
    """Unknown methods are 404, wrong parameters 400, and both are on record."""
    async with telegram() as (server, line):
        server.private(server.person(1))
        assert (await line.error(method, **parameters))[0] == status
        assert len(server.violations) == 1
        assert server.violations[0].method == method
        assert server.violations[0].problem.startswith(problem)


async def test_all_ways_to_pass_parameters() -> None:
    """Query string, form and JSON body mean the same; method names have no case."""
    async with telegram() as (server, line):
        chat = server.private(server.person(1))
        url = line.url("SENDMESSAGE")
        entities = [{"type": "bold", "offset": 0, "length": 1}]
        plain = {"chat_id": "1", "text": "x", "entities": json.dumps(entities)}
        body = {"chat_id": 1, "text": "x", "entities": entities}
        for request in (
            line.session.get(url, params=plain),
            line.session.post(url, data=plain),
            line.session.post(url, json=body),
        ):
            async with request as answer:
                assert answer.status == 200
        assert [message.covered("bold") for message in chat.answers] == [["x"]] * 3
        assert {call.method for call in server.calls} == {"sendMessage"}


async def test_tokens() -> None:
    """A wrong token is 401, as is one that is none; logging out ends the right one."""
    async with telegram() as (server, line):
        wrong = (await line.call("getMe", "123456:wrong")).error
        none = (await line.call("getMe", "nothing")).error
        me = await line.ok("getMe")
        await line.ok("logOut")
        out = await line.error("getMe")
    assert wrong == (401, "Unauthorized")
    assert none == (401, "Unauthorized: invalid token specified")
    assert me["username"] == server.bot.username
    assert out == (400, "Logged out")


async def test_commands_per_scope_and_language() -> None:
    """Each scope and language has its own list, and gives only that back."""
    portuguese = [{"command": "modelos", "description": "Ver os modelos"}]
    english = [{"command": "models", "description": "See the models"}]
    groups = {"type": "all_group_chats"}
    async with telegram() as (server, line):
        await line.ok("setMyCommands", commands=english)
        await line.ok("setMyCommands", commands=portuguese, language_code="pt", scope=groups)
        told = await line.ok("getMyCommands", scope=groups, language_code="pt")
        other = await line.ok("getMyCommands", scope=groups)
        assert server.profile.commands_for("all_group_chats", "pt") == {"modelos": "Ver os modelos"}
        assert server.profile.commands_for() == {"models": "See the models"}
        await line.ok("deleteMyCommands")
        assert await line.ok("getMyCommands") == []
    assert told == portuguese
    assert other == []


@pytest.mark.parametrize(
    ("commands", "told"),
    [
        ([{"command": "Help", "description": "x"}], "BOT_COMMAND_INVALID"),
        ([{"command": "h" * 33, "description": "x"}], "BOT_COMMAND_INVALID"),
        ([{"command": "help", "description": ""}], "BOT_COMMAND_DESCRIPTION_INVALID"),
        ([{"command": f"c{n}", "description": "x"} for n in range(101)], "too many commands specified"),
    ],
)
async def test_refused_commands(commands: list[Json], told: str) -> None:
    """Names are small letters, digits and underscores, up to 32; there are at most 100."""
    async with telegram() as (_, line):
        assert await line.error("setMyCommands", commands=commands) == (400, f"Bad Request: {told}")


async def test_descriptions_per_language() -> None:
    """A language without its own text gets the usual one; lengths are limited."""
    async with telegram() as (_, line):
        await line.ok("setMyDescription", description="hello")
        await line.ok("setMyShortDescription", short_description="oi", language_code="pt")
        assert await line.ok("getMyDescription", language_code="pt") == {"description": "hello"}
        assert await line.ok("getMyShortDescription", language_code="pt") == {"short_description": "oi"}
        await line.ok("setMyName", name="Bot")
        assert await line.ok("getMyName") == {"name": "Bot"}
        await line.ok("setChatMenuButton", menu_button={"type": "commands"})
        assert await line.ok("getChatMenuButton") == {"type": "commands"}
        assert (await line.error("setMyShortDescription", short_description="x" * 121))[0] == 400


async def test_record_of_a_call_keeps_no_secret() -> None:
    """Calls are written down with chat, thread, status and time, without tokens, and cannot be changed."""
    async with telegram() as (server, line):
        await line.ok("setWebhook", url="http://127.0.0.1:9/hook", secret_token="fake-secret")
        await line.error("sendMessage", chat_id=5, text="x", message_thread_id=3)
        hook, sent = server.calls
        with pytest.raises(AttributeError):
            sent.status = 200  # type: ignore[misc] # that it cannot be assigned is what is shown
    assert hook.parameters["secret_token"] == "***"
    assert (sent.method, sent.chat, sent.thread, sent.status) == ("sendMessage", 5, 3, 400)
    assert sent.error == "Bad Request: chat not found"
    assert sent.done >= sent.time >= hook.time
    assert server.count("sendMessage", status=400) == 1
    assert Violation("sendMessage", "x") not in server.violations
