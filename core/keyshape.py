"""What vendors' keys look like: cleaned when they are pasted, shortened when they are shown, recognised.

Every vendor's key is one word of printable ASCII. The known beginnings are those the vendors' own pages show:
`sk-` (OpenAI, Anthropic, many others), `gsk_` (Groq), `gsk-` (Genspark), `hf_` (Hugging Face), `AIza` and `AQ.`
(Google), `xai-`, `pplx-`, `nvapi-`, `r8_`.
"""

import re

SHORTEST_SHOWN = 16  # of a shorter key no part is shown
LONGEST = 4096
LONGEST_TELLING = 300  # characters of a message that is taken to be about the key in it
_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_ASSIGNMENT = re.compile(r"(?:export\s+)?[A-Z][A-Z0-9_]*\s*=\s*")
_BEARER = re.compile(r"(?:authorization\s*:\s*)?bearer\s+", re.IGNORECASE)
_QUOTES = "\"'`“”‘’«»<>"
_BEGINNING = re.compile(r"[A-Za-z][A-Za-z0-9]{1,4}[-_](?=.{12})")
_KNOWN = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-|gsk[-_]|hf_|xai-|pplx-|nvapi-|r8_|AIza|AQ\.)[A-Za-z0-9_.-]{15,}[A-Za-z0-9_-]"
)
_LONG_WORD = re.compile(r"[A-Za-z0-9_-]{32,256}")


class NotAKey(ValueError):
    """What was given cannot be a key. `reason`: `empty`, `spaces`, `characters`, `long`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def clean_key(text: str) -> str:
    """The key in what a person pasted: without what pasting brings with it. Raises NotAKey."""
    key = _unwrapped(text)
    if not key:
        raise NotAKey("empty")
    if len(key) > LONGEST:
        raise NotAKey("long")
    if len(key.split()) > 1:
        raise NotAKey("spaces")
    if not (key.isascii() and key.isprintable()):
        raise NotAKey("characters")
    return key


def _unwrapped(text: str) -> str:
    key = _INVISIBLE.sub("", text).strip()
    for wrapping in (_ASSIGNMENT, _BEARER):
        key = wrapping.sub("", key.strip(_QUOTES).strip(), count=1) if wrapping.match(key) else key
    return key.rstrip(";, ").strip(_QUOTES).strip()


def shown(key: str) -> str:
    """What people see of a key: `sk-…abcd`; of a short one nothing."""
    if len(key) < SHORTEST_SHOWN:
        return "…"
    beginning = _BEGINNING.match(key)
    return f"{beginning[0] if beginning else ''}…{key[-4:]}"


def looks_like_key(text: str) -> bool:
    """Whether a message is a key and what pasting brings: by its beginning, or as one long word without sense."""
    word = _unwrapped(text)
    if _KNOWN.fullmatch(word):
        return True
    if not _LONG_WORD.fullmatch(word):
        return False
    kinds = (str.isupper, str.islower, str.isdigit)
    return all(sum(map(kind, word)) >= 3 for kind in kinds)  # noqa: PLR2004  # words have none, hashes one kind of letter


def tells_key(text: str) -> bool:
    """Whether a short message says a key that has a known beginning; longer ones are about something else."""
    return len(text) <= LONGEST_TELLING and _KNOWN.search(_INVISIBLE.sub("", text)) is not None


def hide_keys(text: str) -> str:
    """The text with everything that has a known key's beginning shortened."""
    return _KNOWN.sub(lambda found: shown(found[0]), text)
