"""Methods by which updates reach the bot."""

import re

from tests.fakes.telegram.asks import Ask, Told, method
from tests.fakes.telegram.updates import WEBHOOK_SET
from tests.fakes.telegram.wire import Json, bad, conflict

_WEBHOOK_ACTIVE = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_URL = re.compile(r"https?://[^\s/]+(/\S*)?")


@method("getUpdates")
async def get_updates(ask: Ask) -> list[Json]:
    world = ask.world
    if world.webhook.url:
        raise conflict(_WEBHOOK_ACTIVE)
    world.updates.allow(ask.get("allowed_updates"))
    limit = min(max(ask.get("limit", 100), 1), 100)
    seconds = min(max(float(ask.get("timeout", 0)), 0.0), world.switches.longest_poll)
    return await world.updates.poll(ask.get("offset", 0), limit, seconds)


@method("setWebhook", "deleteWebhook")
async def set_webhook(ask: Ask) -> Told:
    world, hook = ask.world, ask.world.webhook
    url = str(ask.get("url", "")) if ask.method == "setWebhook" else ""
    secret = str(ask.get("secret_token", ""))
    if url and not _URL.fullmatch(url):
        raise bad("bad webhook: invalid webhook URL specified")
    if secret and not _SECRET.fullmatch(secret):
        raise bad(f"secret token {'is too long' if len(secret) > 256 else 'contains unallowed characters'}")
    world.updates.allow(ask.get("allowed_updates"))
    if ask.get("drop_pending_updates"):
        world.updates.drop_pending()
    if not url and not hook.url:
        return Told(result=True, description="Webhook is already deleted")
    if (url, secret) == (hook.url, hook.secret):
        return Told(result=True, description="Webhook is already set")
    await hook.rest()
    hook.url, hook.secret, hook.last_error = url, secret, ""
    hook.max_connections = ask.get("max_connections", 40)
    hook.certificate = ask.get("certificate") is not None
    if url:
        world.updates.interrupt(WEBHOOK_SET)
    hook.look()
    return Told(result=True, description="Webhook was set" if url else "Webhook was deleted")


@method("getWebhookInfo")
async def get_webhook_info(ask: Ask) -> Json:
    return ask.world.webhook.info()


@method("logOut")
async def log_out(ask: Ask) -> bool:
    ask.world.logged_out = True
    return True


@method("close")
async def close(ask: Ask) -> bool:
    await ask.world.webhook.rest()
    return True
