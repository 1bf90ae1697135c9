"""Whether the vendors take the bot's own keys."""

from pydantic import SecretStr

from bot import present
from bot.cards import Notice
from bot.doctor.finding import Finding, Level
from bot.texts import Speech
from core.errors import ApiProblem, ApiUnreachable, Overloaded, Problem, RateLimited
from core.providers.api import Api
from core.providers.vendors import VENDORS, Vendor, at
from core.settings import Settings


def with_keys(settings: Settings) -> list[tuple[Vendor, SecretStr]]:
    """The vendors for which the settings have a key."""
    found = []
    for vendor in VENDORS:
        key: SecretStr | None = getattr(settings, vendor.setting.lower())
        if key is not None:
            found.append((at(vendor, getattr(settings, f"{vendor.name}_base_url") or ""), key))
    return found


async def examine(vendor: Vendor, key: SecretStr, t: Speech) -> Finding:
    """One key, by the way that proves it at this vendor; it costs a few tokens at most."""

    async def source(_: str | None) -> SecretStr | None:
        return key

    api = Api(vendor, source)
    try:
        await api.check(key)
    except ApiProblem as problem:
        return _of(problem, vendor, t)
    except Problem as problem:
        return Finding(Level.WARNING, vendor.title, str(problem))
    finally:
        await api.aclose()
    return Finding(Level.OK, vendor.title, t("doctor.vendor_ok", name=vendor.setting))


def _of(problem: ApiProblem, vendor: Vendor, t: Speech) -> Finding:
    card = present.trouble(problem, t)
    passing = isinstance(problem, ApiUnreachable | Overloaded | RateLimited)
    level = Level.WARNING if passing else Level.ERROR
    title, body = (card.title, card.body) if isinstance(card, Notice) else (str(problem), "")
    remedy = body.replace("\n", " ") or t("doctor.vendor_remedy", name=vendor.setting, place=vendor.keys_at)
    return Finding(level, vendor.title, title.removeprefix("⚠️ "), remedy)
