"""Text from models and people, before anything reads it: whole characters, and nothing that steers a screen.

What people send is also freed of what cannot be seen: it is there to deceive whoever reads it, man or model.
"""

import re
import unicodedata

# C0 but for \n and \t, DEL, and C1: a lone 0x9B starts an escape sequence just as ESC [ does.
# U+202A..202E turn the direction of everything that follows, also outside the answer; isolates may stay.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
_LINE_END = re.compile("\r\n?|[\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """The text without control characters other than new line and tab, and without halves of characters."""
    text = _CONTROL.sub("", _LINE_END.sub("\n", text))
    if _SURROGATE.search(text):
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


# Zero width, and meant to stay unseen. U+200C and U+200D join letters and emoji, U+200E and U+200F belong to
# languages written from the right: they stay.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\U0001d173-\U0001d17a]"
)
_FLAG = re.compile("(\U0001f3f4[\U000e0061-\U000e007a]{2,6}\U000e007f)|[\U000e0000-\U000e007f]")
_OPEN, _CLOSE = "\u2066\u2067\u2068", "\u2069"
_ISOLATES = re.compile(f"[{_OPEN}{_CLOSE}]")
_MARKS = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_IN_NAMES = re.compile(r'[<>:"|?*`\[\]{}]')
_ENDING = re.compile(r"\.\w{1,10}$")
LONGEST_FILE_NAME = 100
LONGEST_NAME = 60


def spoken(text: str) -> str:
    """What a person sent, as it looks: control and unseen characters and unpaired turns of direction are gone."""
    text = _FLAG.sub(r"\1", _UNSEEN.sub("", clean(text)))
    return text if _paired(text) else _ISOLATES.sub("", text)


def _paired(text: str) -> bool:
    depth = 0
    for turn in _ISOLATES.findall(text):
        depth += 1 if turn in _OPEN else -1
        if depth < 0:
            return False
    return depth == 0


def line(text: str, longest: int = LONGEST_NAME) -> str:
    """A name that somebody chose, on one line: nothing unseen, no towers of accents, at most that long."""
    seen = "".join(
        c if unicodedata.category(c)[0] != "C" else " " if c in "\n\t" else "" for c in spoken(text)
    )
    words = " ".join(_MARKS.sub(r"\1", unicodedata.normalize("NFC", seen)).split())
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def file_name(name: str) -> str:
    """The name of a file without its way there, and without what means something to a shell or to Markdown."""
    last = re.split(r"[/\\]", line(name, 4 * LONGEST_FILE_NAME))[-1]
    plain = " ".join(_IN_NAMES.sub("", last).split()).strip(". ")
    if len(plain) <= LONGEST_FILE_NAME:
        return plain or "file"
    ending = _ENDING.search(plain)
    end = ending[0] if ending else ""
    return plain[: LONGEST_FILE_NAME - len(end)] + end
