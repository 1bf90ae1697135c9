"""The environment and `.env`: every variable, and wrong values that never show themselves."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from core import settings
from core.errors import SettingWrong
from core.providers.vendors import VENDORS as TABLE
from core.settings import VENDORS, Settings

CANARY = "canary-5f3a9"
NAMES = [name.upper() for name in Settings.model_fields]
SECRETS = [
    name.upper() for name, field in Settings.model_fields.items() if field.annotation == (SecretStr | None)
]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder without `.env` and an environment without our variables."""
    for name in (*NAMES, "PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults() -> None:
    """Nothing has to be set."""
    read = settings.read()
    assert read.platforms == ()
    assert read.lmstudio_urls == ("http://127.0.0.1:1234",)
    assert read.lmstudio_token is None
    assert (read.embedded, read.embedded_models) == ("auto", ())
    assert read.data_dir.name == settings.APP
    assert read.data_dir.is_absolute()
    assert (read.prefer, read.language) == ("external", "pt-BR")
    assert (read.sync_every, read.load_timeout) == (60.0, 1800.0)
    assert (read.telegram_bot_token, read.telegram_api_root) == (None, "https://api.telegram.org")
    assert (read.log_level, read.log_format) == ("INFO", "console")


def test_port_of_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a service says PORT, that is the port; ours goes first."""
    monkeypatch.setenv("PORT", "5000")
    assert settings.read().http_port == 5000
    monkeypatch.setenv("HTTP_PORT", "6000")
    assert settings.read().http_port == 6000


VALUES: list[tuple[str, str, object]] = [
    ("PLATFORMS", "console", ("console",)),
    ("PLATFORMS", " telegram, discord ,,", ("telegram", "discord")),
    ("LMSTUDIO_URLS", "http://a:1/v1, b:2,https://[::1]:3", ("http://a:1/v1", "b:2", "https://[::1]:3")),
    ("LMSTUDIO_URLS", ",", ()),
    ("EMBEDDED", "off", "off"),
    ("EMBEDDED_MODELS", "/a, /b c", (Path("/a"), Path("/b c"))),
    ("EMBEDDED_MODELS", "~/models", (Path("~/models").expanduser(),)),
    ("DATA_DIR", "~/data", Path("~/data").expanduser()),
    ("PREFER", "local", "local"),
    ("LANGUAGE", "en", "en"),
    ("SYNC_EVERY", "5", 5.0),
    ("LOAD_TIMEOUT", "90.5", 90.5),
    ("LOAD_MODE", "explicit", "explicit"),
    ("CONTEXT_LENGTH", "16384", 16384),
    ("MAKE_ROOM", "auto", "auto"),
    ("MLX_PARALLEL", "2", 2),
    ("HTTP_PORT", "8080", 8080),
    ("HTTP_HOST", "0.0.0.0", "0.0.0.0"),  # noqa: S104  # read, not bound
    ("TELEGRAM_API_ROOT", "http://127.0.0.1:8081/", "http://127.0.0.1:8081"),
    ("TELEGRAM_API_ROOT", "https://bots.example/bot", "https://bots.example"),
    ("TELEGRAM_WEBHOOK_URL", "https://bot.example/hook", "https://bot.example/hook"),
    ("TELEGRAM_RICH", "true", True),
    ("DISCORD_API_ROOT", "http://127.0.0.1:8082/api/v10/", "http://127.0.0.1:8082/api/v10"),
    ("DISCORD_GATEWAY_URL", "ws://127.0.0.1:8083", "ws://127.0.0.1:8083"),
    ("SHARDS", "auto", "auto"),
    ("ACCESS", "open", "open"),
    ("ADMINS", "telegram:123, discord:456", ("telegram:123", "discord:456")),
    ("MESSAGES_PER_MINUTE", "3", 3),
    ("TOKENS_PER_DAY_LOCAL", "1000", 1000),
    ("TOKENS_PER_DAY_EXTERNAL", "2000", 2000),
    ("GUEST_MESSAGES_PER_MINUTE", "1", 1),
    ("GUEST_TOKENS_PER_DAY_LOCAL", "100", 100),
    ("GUEST_TOKENS_PER_DAY_EXTERNAL", "200", 200),
    (
        "OPENAI_COMPATIBLE",
        "groq=https://g.example/v1,b=http://b:1/v1",
        ("groq=https://g.example/v1", "b=http://b:1/v1"),
    ),
    *((f"{name.upper()}_BASE_URL", f"http://{name}:1/v1/", f"http://{name}:1/v1") for name in VENDORS),
    *((f"{name.upper()}_MODELS", "big, small-*", ("big", "small-*")) for name in VENDORS),
    ("KEEP_MEASURES", "30", 30),
    ("PRELOAD", "auto:1, qwen3-8b@08:00-18:00", ("auto:1", "qwen3-8b@08:00-18:00")),
    ("IDLE_UNLOAD", "15", 15.0),
    ("HTTP_PORT", "8080", 8080),
    ("HTTP_HOST", "0.0.0.0", "0.0.0.0"),  # noqa: S104  # where it would listen, if somebody said so
    ("LOG_LEVEL", "debug", "DEBUG"),
    ("LOG_FORMAT", "json", "json"),
    ("SYNC_EVERY", "", 60.0),
]


@pytest.mark.parametrize(("name", "written", "value"), VALUES)
def test_environment(monkeypatch: pytest.MonkeyPatch, name: str, written: str, value: object) -> None:
    """Every variable is read; lists are parted by commas; empty is unset."""
    monkeypatch.setenv(name, written)
    assert getattr(settings.read(), name.lower()) == value


def test_every_variable_is_tried() -> None:
    """No setting is left out above."""
    assert "TELEGRAM_BOT_TOKEN" in SECRETS
    assert {name for name, _, _ in VALUES} | set(SECRETS) == set(NAMES)


@pytest.mark.parametrize("name", SECRETS)
def test_token_is_hidden(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The token is there for who asks for it, and in no text."""
    monkeypatch.setenv(name, CANARY)
    read = settings.read()
    token = getattr(read, name.lower())
    assert token is not None
    assert token.get_secret_value() == CANARY
    assert CANARY not in f"{read} {read!r} {read.model_dump_json()}"


WRONG = [
    ("EMBEDDED", CANARY),
    ("PREFER", CANARY),
    ("LANGUAGE", CANARY),
    ("SYNC_EVERY", CANARY),
    ("SYNC_EVERY", "0"),
    ("SYNC_EVERY", "inf"),
    ("SYNC_EVERY", "nan"),
    ("LOAD_TIMEOUT", "-1"),
    ("LOAD_TIMEOUT", CANARY),
    ("LOG_LEVEL", CANARY),
    ("LOG_FORMAT", CANARY),
    ("DATA_DIR", f"~{CANARY}/x"),
    ("EMBEDDED_MODELS", f"/a,~{CANARY}/x"),
    ("TELEGRAM_API_ROOT", CANARY),
    ("TELEGRAM_API_ROOT", f"ftp://{CANARY}"),
    ("DISCORD_API_ROOT", CANARY),
    ("DISCORD_API_ROOT", f"ws://{CANARY}"),
    ("DISCORD_GATEWAY_URL", CANARY),
    ("DISCORD_GATEWAY_URL", f"https://{CANARY}"),
    ("LMSTUDIO_URLS", f"http://{CANARY}:port"),
    ("LMSTUDIO_URLS", f"http://a:1,http://me:{CANARY}@[::1"),
    ("LMSTUDIO_URLS", f"ftp://{CANARY}:1"),
    ("LMSTUDIO_URLS", f"http:///{CANARY}"),
    ("OPENAI_BASE_URL", CANARY),
    ("OPENAI_API_KEY", f"{CANARY} {CANARY}"),
    ("HF_TOKEN", f"{CANARY}—"),
    ("COHERE_API_KEY", f"{CANARY}\x01x"),
    ("OPENAI_COMPATIBLE", CANARY),
    ("OPENAI_COMPATIBLE", f"{CANARY.upper()}=http://a:1"),
    ("OPENAI_COMPATIBLE", f"openai=http://{CANARY}:1"),
    ("OPENAI_COMPATIBLE", f"a=http://{CANARY}:1,a=http://b:1"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_wrong(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A wrong value names its setting and what was expected, and never shows itself."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingWrong) as caught:
        settings.read()
    problem = caught.value
    assert problem.name == name
    assert problem.detail != ""
    assert CANARY not in f"{problem} {problem!r} {problem.__cause__!r} {problem.__suppress_context__}"
    assert problem.__suppress_context__


def test_servers_of_one_s_own(monkeypatch: pytest.MonkeyPatch, alone: Path) -> None:
    """Each server's key stands under its own name, in the environment or `.env`, and is shown nowhere."""
    monkeypatch.setenv("OPENAI_COMPATIBLE", "groq=https://g.example/v1/,my-box=http://box:8000/v1")
    monkeypatch.setenv("GROQ_API_KEY", CANARY)
    (alone / ".env").write_text("MY_BOX_API_KEY=from-the-file", encoding="utf-8")
    groq, box = settings.servers(settings.read())
    assert (groq.name, groq.url, groq.key) == ("groq", "https://g.example/v1", SecretStr(CANARY))
    assert (box.name, box.url, box.key) == ("my-box", "http://box:8000/v1", SecretStr("from-the-file"))
    assert CANARY not in f"{groq} {groq!r}"
    monkeypatch.setenv("GROQ_API_KEY", f"{CANARY}é")
    with pytest.raises(SettingWrong) as wrong:
        settings.servers(settings.read())
    assert wrong.value.name == "GROQ_API_KEY"
    assert CANARY not in str(wrong.value)
    monkeypatch.delenv("GROQ_API_KEY")
    assert settings.servers(settings.read())[0].key is None


def test_every_vendor_of_the_table_has_its_settings() -> None:
    """The table of vendors and the settings know the same names."""
    assert tuple(vendor.name for vendor in TABLE) == VENDORS
    assert {vendor.setting for vendor in TABLE} <= set(NAMES)


@pytest.mark.parametrize(
    ("system", "meant"),
    [("pt_BR:pt:en", "pt-BR"), ("en_US:en", "en"), ("pt", "pt-BR"), ("de_DE:de", "pt-BR")],
)
def test_language_of_the_system(monkeypatch: pytest.MonkeyPatch, system: str, meant: str) -> None:
    """Many desktops set LANGUAGE for gettext: that is no mistake of the operator, and is understood."""
    monkeypatch.setenv("LANGUAGE", system)
    assert settings.read().language == meant


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_env_file(alone: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """`.env` is read, also with the mark that Windows editors put first; the environment goes before it."""
    lines = "LANGUAGE=en\nDATA_DIR=/tmp/ação\nPREFER=local # near\nUNKNOWN=1\n"
    (alone / ".env").write_text(lines, encoding=encoding)
    monkeypatch.setenv("PREFER", "external")
    read = settings.read()
    assert (read.language, read.data_dir, read.prefer) == ("en", Path("/tmp/ação"), "external")  # noqa: S108  # a name only


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_env_file_in_another_encoding(alone: Path, encoding: str) -> None:
    """A `.env` that cannot be read is told as such."""
    (alone / ".env").write_text(f"DATA_DIR=/ação/{CANARY}\n", encoding=encoding)
    with pytest.raises(SettingWrong) as caught:
        settings.read()
    assert caught.value.name == ".env"
    assert CANARY not in str(caught.value)


def test_frozen() -> None:
    """Nobody changes the settings while the program runs."""
    with pytest.raises(ValueError, match="frozen"):
        setattr(settings.read(), "language", "en")  # noqa: B010  # what mypy forbids must fail too
