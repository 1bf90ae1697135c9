"""The environment and `.env`, read once. Every setting is described in `.env.example`."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import AliasChoices, Field, SecretStr, ValidationError, create_model, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.errors import SettingWrong
from core.keyshape import NotAKey, clean_key
from core.people import is_group, is_who
from core.timetable import parse

APP = "orquestrador"
VENDORS = ("openai", "anthropic", "google", "genspark", "mistral", "huggingface", "cohere", "ai21")
TAKEN = frozenset({*VENDORS, "lmstudio", "embedded", "hf", "console", "telegram", "discord"})
API_KEYS = (*(f"{name}_api_key" for name in VENDORS if name != "huggingface"), "hf_token")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,23}")
Texts = Annotated[tuple[str, ...], NoDecode]
Paths = Annotated[tuple[Path, ...], NoDecode]


class Settings(BaseSettings):
    """Frozen. Made by `read()`, so that a wrong value is a Problem and never shows a secret."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", frozen=True, extra="ignore", env_ignore_empty=True
    )

    platforms: Texts = ()
    lmstudio_urls: Texts = ("http://127.0.0.1:1234",)
    lmstudio_token: SecretStr | None = None
    embedded: Literal["auto", "on", "off"] = "auto"
    embedded_models: Paths = ()
    data_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir(APP, appauthor=False)))
    prefer: Literal["external", "local"] = "external"
    language: Literal["pt-BR", "en"] = "pt-BR"
    sync_every: float = Field(default=60.0, ge=1, le=1e9)  # the scheduler cannot reckon beyond
    load_timeout: float = Field(default=1800.0, gt=0)
    load_mode: Literal["auto", "explicit", "jit"] = "auto"
    context_length: int | None = Field(default=None, ge=256)
    make_room: Literal["ask", "auto", "never"] = "ask"
    mlx_parallel: int = Field(default=1, ge=1)
    telegram_bot_token: SecretStr | None = None
    telegram_api_root: str = "https://api.telegram.org"
    telegram_webhook_url: str | None = None
    telegram_webhook_secret: SecretStr | None = None
    telegram_rich: bool = False
    discord_bot_token: SecretStr | None = None
    discord_api_root: str = "https://discord.com/api/v10"
    discord_gateway_url: str | None = None
    shards: str = "1"
    access: Literal["closed", "open"] = "closed"
    admins: Texts = ()
    messages_per_minute: int = Field(default=20, ge=1)
    tokens_per_day_local: int | None = Field(default=None, ge=1)
    tokens_per_day_external: int | None = Field(default=None, ge=1)
    guest_messages_per_minute: int = Field(default=5, ge=1)
    guest_tokens_per_day_local: int | None = Field(default=50_000, ge=1)
    guest_tokens_per_day_external: int | None = Field(default=10_000, ge=1)
    master_keys: SecretStr | None = None
    openai_api_key: SecretStr | None = None
    anthropic_api_key: SecretStr | None = None
    google_api_key: SecretStr | None = None
    genspark_api_key: SecretStr | None = None
    mistral_api_key: SecretStr | None = None
    hf_token: SecretStr | None = None
    cohere_api_key: SecretStr | None = None
    ai21_api_key: SecretStr | None = None
    openai_compatible: Texts = ()
    openai_base_url: str | None = None
    anthropic_base_url: str | None = None
    google_base_url: str | None = None
    genspark_base_url: str | None = None
    mistral_base_url: str | None = None
    huggingface_base_url: str | None = None
    cohere_base_url: str | None = None
    ai21_base_url: str | None = None
    openai_models: Texts = ()
    anthropic_models: Texts = ()
    google_models: Texts = ()
    genspark_models: Texts = ()
    mistral_models: Texts = ()
    huggingface_models: Texts = ()
    cohere_models: Texts = ()
    ai21_models: Texts = ()
    keep_measures: int = Field(default=90, ge=1)  # days
    preload: Texts = ()
    idle_unload: float | None = Field(default=None, gt=0)  # minutes
    # Services that start a `web` process say where it must listen in PORT.
    http_port: int | None = Field(
        default=None, ge=0, le=65535, validation_alias=AliasChoices("http_port", "port")
    )
    http_host: str = "127.0.0.1"
    metrics_token: SecretStr | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"

    @field_validator(
        "platforms",
        "lmstudio_urls",
        "embedded_models",
        "admins",
        "openai_compatible",
        "preload",
        *(f"{name}_models" for name in VENDORS),
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("preload", mode="after")
    @classmethod
    def _timetable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse(value)  # wrong ones are told now, not at night
        return value

    @field_validator("lmstudio_urls", mode="after")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            if not _address(url):
                raise ValueError("not an address such as http://127.0.0.1:1234")
        return value

    @field_validator(*(f"{name}_base_url" for name in VENDORS), mode="after")
    @classmethod
    def _bases(cls, value: str | None) -> str | None:
        if value is not None and ("://" not in value or not _address(value)):
            raise ValueError("not an address such as https://api.example.com/v1")
        return value.rstrip("/") if value else None

    @field_validator("openai_compatible", mode="after")
    @classmethod
    def _servers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = [part.partition("=")[0] for part in value]
        for part, name in zip(value, names, strict=True):
            if not _NAME.fullmatch(name) or name in TAKEN or names.count(name) > 1:
                raise ValueError("each server needs a name of its own: small letters, digits, hyphens")
            if "://" not in part or not _address(part.partition("=")[2]):
                raise ValueError("not of the form name=http://127.0.0.1:8000/v1")
        return value

    @field_validator("admins", mode="after")
    @classmethod
    def _people(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for who in value:
            if not is_who(who) or is_group(who):
                raise ValueError("not people such as telegram:123,discord:456")
        return value

    @field_validator(*API_KEYS, mode="after")
    @classmethod
    def _key(cls, value: SecretStr | None) -> SecretStr | None:
        return None if value is None else _clean(value)

    @field_validator("telegram_api_root", mode="after")
    @classmethod
    def _root(cls, value: str) -> str:
        if "://" not in value or not _address(value):
            raise ValueError("not an address such as https://api.telegram.org")
        return value.rstrip("/").removesuffix("/bot")

    @field_validator("discord_api_root", mode="after")
    @classmethod
    def _discord(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")) or not _address(value):
            raise ValueError("not an address such as https://discord.com/api/v10")
        return value.rstrip("/")

    @field_validator("discord_gateway_url", mode="after")
    @classmethod
    def _gateway(cls, value: str | None) -> str | None:
        if value is not None and (not value.startswith(("ws://", "wss://")) or not _address(value)):
            raise ValueError("not an address such as wss://gateway.discord.gg")
        return value

    @field_validator("embedded_models", "data_dir", mode="after")
    @classmethod
    def _expand(cls, value: Path | tuple[Path, ...]) -> Path | tuple[Path, ...]:
        try:
            return tuple(p.expanduser() for p in value) if isinstance(value, tuple) else value.expanduser()
        except RuntimeError:
            raise ValueError("`~` leads to no home folder") from None

    @field_validator("language", mode="before")
    @classmethod
    def _tongue(cls, value: object) -> object:
        """Many systems set LANGUAGE themselves, as a list of locales (`pt_BR:pt:en`): the first one counts."""
        if not isinstance(value, str):
            return value
        first = value.split(":")[0].partition(".")[0].replace("_", "-").lower()
        if first.split("-")[0] in {"pt", "en"}:
            return "pt-BR" if first.startswith("pt") else "en"
        system_locale = ":" in value or "_" in value or first == "c"
        return "pt-BR" if system_locale else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Server:
    """An OpenAI-compatible server of the settings; its key may be missing, many want none."""

    name: str
    url: str
    key: SecretStr | None


def servers(settings: Settings) -> tuple[Server, ...]:
    """The servers of OPENAI_COMPATIBLE; each one's key stands in `<NAME>_API_KEY`, in the environment or `.env`."""
    found = [part.partition("=") for part in settings.openai_compatible]
    if not found:
        return ()
    fields: dict[str, Any] = {_key_field(name): (SecretStr | None, None) for name, _, _ in found}
    keys = create_model("Keys", __base__=_Keys, **fields)()
    return tuple(Server(name, url.rstrip("/"), _key_of(keys, _key_field(name))) for name, _, url in found)


def _key_of(keys: BaseSettings, field: str) -> SecretStr | None:
    key: SecretStr | None = getattr(keys, field)
    try:
        return None if key is None else _clean(key)
    except ValueError as wrong:
        raise SettingWrong(field.upper(), str(wrong)) from None


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Every secret that the settings hold, in clear: for what must not show them."""
    values = [getattr(settings, name) for name in Settings.model_fields]
    values += [server.key for server in servers(settings)]
    found = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    rings = settings.master_keys.get_secret_value().split(",") if settings.master_keys else []
    return (*found, *(part.partition(":")[2] for part in rings))


class _Keys(BaseSettings):
    model_config = Settings.model_config


class _Master(_Keys):
    master_keys: SecretStr | None = None


def master_keys(known: Settings) -> SecretStr | None:
    """MASTER_KEYS as it stands now: `.env` may have been changed since the start. Else what is known of it."""
    try:
        return _Master().master_keys or known.master_keys
    except (ValidationError, UnicodeDecodeError):  # somebody is just writing it
        return known.master_keys


def _clean(key: SecretStr) -> SecretStr:
    """A key as it goes into a header of HTTP. Raises ValueError, which does not quote it."""
    try:
        return SecretStr(clean_key(key.get_secret_value()))
    except NotAKey:
        raise ValueError("not a key: one word of ASCII letters, digits and signs") from None


def _key_field(name: str) -> str:
    return f"{name.replace('-', '_')}_api_key"


def _address(url: str) -> bool:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        _ = parts.port  # a port that is no number is found only when it is read
    except ValueError:
        return False
    return parts.scheme in {"http", "https", "ws", "wss"} and bool(parts.hostname)


def read() -> Settings:
    """Read the environment and `.env`. Raises SettingWrong with the setting's name, never its value."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"][:1]).upper()
        raise SettingWrong(name, first["msg"]) from None
    except UnicodeDecodeError:
        raise SettingWrong(".env", "not UTF-8") from None
