"""A refusal as a card: why not, and from when on or by whom it may be."""

from bot.cards import Button, Notice, Tone
from bot.texts import Speech
from core import refusals


def refused(refusal: refusals.Refusal, t: Speech, offers: tuple[Button, ...] = ()) -> Notice:
    """A refusal as a card; `offers` are models that may be used all the same."""
    tone = Tone.INFO if isinstance(refusal, refusals.Outside) else Tone.ERROR
    title, body = _words(refusal, t)
    return Notice(tone, title, body, offers)


def _words(refusal: refusals.Refusal, t: Speech) -> tuple[str, str]:  # noqa: PLR0911  # one return for each kind
    """Title and body."""
    match refusal:
        case refusals.Outside(who, unclaimed):
            body = "refusal.outside_unclaimed" if unclaimed else "refusal.outside_body"
            return t("refusal.outside"), t(body, who=who)
        case refusals.NotAllowed(command, needs):
            role = t(f"role.{needs.name.lower()}")
            return t("refusal.not-allowed", command=command), t("refusal.not-allowed_body", role=role)
        case refusals.TooManyMessages(limit, renews_in):
            time = t.seconds(max(1.0, renews_in))
            return t("refusal.messages", limit=limit), t("refusal.messages_body", time=time)
        case refusals.TokensSpent(external, limit, renews_in):
            title = "refusal.tokens_external" if external else "refusal.tokens_local"
            return t(title, limit=limit), t("refusal.tokens_body", time=t.seconds(renews_in))
        case refusals.MessageTooLong(length, limit):
            return t("refusal.length"), t("refusal.length_body", length=length, limit=limit)
        case refusals.CodeRefused(reason, seconds):
            return t("refusal.code"), t(f"refusal.code_{reason}", time=t.seconds(max(1.0, seconds)))
        case refusals.Unchangeable(who, reason):
            return t("refusal.unchangeable", who=who), t(f"refusal.unchangeable_{reason}")
        case _:
            return t(refusal.key), t(f"{refusal.key}_body")
