"""/reload: what counts at once, what needs a restart, and a mistake that changes nothing."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cards import Notice, Tone, is_error, plain
from core.reload import AT_ONCE
from core.settings import Settings
from tests.bot.talk import settings, talking
from tests.fakes.provider import FakeLoader, FakeProvider


@pytest.fixture(autouse=True)
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The `.env` of a folder of its own, which says what the settings of these tests say."""
    for name in (*Settings.model_fields, "port"):
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    level = logging.getLogger().level
    yield tmp_path / ".env"
    logging.getLogger().setLevel(level)


def write(env: Path, folder: Path, *lines: str) -> None:
    base = settings(folder)
    same = [
        f"DATA_DIR={folder}",
        "PLATFORMS=console",
        "LMSTUDIO_URLS=,",
        "EMBEDDED=off",
        f"SYNC_EVERY={base.sync_every}",
        f"LOAD_TIMEOUT={base.load_timeout}",
    ]
    env.write_text("\n".join([*same, *lines]), encoding="utf-8")


async def test_what_counts_at_once(env: Path, tmp_path: Path) -> None:
    """PREFER decides about the next new chat; conversations go on."""
    write(env, tmp_path)
    async with talking(tmp_path, FakeProvider(), FakeLoader()) as talk:
        await talk.say("oi")
        heard: list[str] = []
        talk.engine.on_reload.append(lambda new: heard.append(new.log_level))
        unchanged = await talk.say("/reload")
        write(env, tmp_path, "PREFER=local", "LOG_LEVEL=DEBUG", "MESSAGES_PER_MINUTE=3")
        card = await talk.say("/reload")
        await talk.say("oi", chat="bia")
        turns = [turn.text for turn in await talk.turns()]
        models = [turn.model_id for turn in await talk.turns("bia")]
    assert "nada mudou" in plain(unchanged)
    assert isinstance(card, Notice)
    assert (card.tone, card.body) == (Tone.SUCCESS, "Já valem: PREFER, MESSAGES_PER_MINUTE, LOG_LEVEL.")
    assert heard == ["INFO", "DEBUG"]
    assert turns[0] == "oi"
    assert models[-1].startswith("lmstudio|")


async def test_limits(env: Path, tmp_path: Path) -> None:
    """The very next message is counted by the new ones; administrators come and go."""
    write(env, tmp_path)
    async with talking(tmp_path, FakeProvider()) as talk:
        rules = talk.engine.access._rules
        write(env, tmp_path, "GUEST_MESSAGES_PER_MINUTE=1", "ADMINS=telegram:1", "ACCESS=open")
        talk.engine.reload()
        new = talk.engine.access._rules
    assert (rules.guest.messages, new.guest.messages) == (5, 1)
    assert new.admins == frozenset({"telegram:1"})
    assert new.open


async def test_what_needs_a_restart(env: Path, tmp_path: Path) -> None:
    """It is named, and nothing is half taken."""
    write(env, tmp_path)
    async with talking(tmp_path, FakeProvider()) as talk:
        write(env, tmp_path, "HTTP_PORT=8080", "PREFER=local", "TELEGRAM_BOT_TOKEN=1:secret")
        card = await talk.say("/reload")
        now = talk.engine.settings
    assert isinstance(card, Notice)
    assert card.tone is Tone.WARNING
    assert "Estas só valem depois de reiniciar: TELEGRAM_BOT_TOKEN, HTTP_PORT." in card.body
    assert "secret" not in plain(card)
    assert (now.http_port, now.prefer) == (None, "local")


async def test_a_mistake(env: Path, tmp_path: Path) -> None:
    """The setting is named, its value is not, and the old ones stay."""
    write(env, tmp_path)
    async with talking(tmp_path, FakeProvider()) as talk:
        write(env, tmp_path, "PREFER=local", "MESSAGES_PER_MINUTE=hunter2")
        card = await talk.say("/reload")
        now = talk.engine.settings
    assert is_error(card)
    assert "MESSAGES_PER_MINUTE" in plain(card)
    assert "hunter2" not in plain(card)
    assert now.prefer == "external"


def test_every_name_is_a_setting() -> None:
    """What is said to count at once exists."""
    assert set(Settings.model_fields) >= AT_ONCE
