"""Which addresses may become links: one that Telegram refuses would cost the whole message."""

import re

_LONGEST = 2000
_PORTS = 65535
_WEB = re.compile(
    r"https?://(?:[\w.~%!$&'()*+,;=:-]+@)?([\w-]+(?:\.[\w-]+)+)\.?(?::(\d{1,5}))?(?:[/?#].*)?", re.IGNORECASE
)
_TELEGRAM = re.compile(r"tg://[\w-]+(?:[/?].*)?", re.IGNORECASE | re.ASCII)


def linkable(address: str) -> bool:
    """Whether it is a whole address of a page (with a dot in its host), or one inside Telegram.

    `mailto:` is none: Telegram makes `http://mailto:…` of it, and finds addresses of mail in text itself.
    """
    if len(address) > _LONGEST or any(c.isspace() for c in address):
        return False
    found = _WEB.fullmatch(address)
    if found:
        return 0 < int(found[2] or 80) <= _PORTS
    return _TELEGRAM.fullmatch(address) is not None


def spelled(label: str, address: str) -> str:
    """A link that is none, as text: what has to stand behind its label."""
    address = address.removeprefix("mailto:")
    if not address or address == label:
        return ""
    return f" ({address})" if label.strip() else address
