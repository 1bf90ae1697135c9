"""Where a text may be cut: between what a person takes for characters, and better between more than that."""

import re
import unicodedata

_ZWJ = "\u200d"
# Skin tones, tag letters of flags, vowels and finals of Hangul: they belong to what stands before.
_TIED = re.compile("[\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\u1160-\u11ff]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]+")

_MOST_FLAGS = 256  # letters of flags in a row that are looked back on

# From the best place to the poorest. A cut is where the pattern begins; blanks at it are dropped.
BLOCK = re.compile(r"\n[ \t]*\n")
LINE = re.compile(r"\n")
SENTENCE = re.compile(r"(?<=[.!?…:;])[ \t]|(?<=[。！？])")
WORD = re.compile(r"[ \t]")


def whole(text: str, at: int) -> bool:
    """Whether a cut here goes through no character."""
    if not 0 < at < len(text):
        return True
    here, before = text[at], text[at - 1]
    if here < "\u0300":
        return before != _ZWJ
    if _ZWJ in {here, before} or unicodedata.category(here)[0] == "M" or _TIED.match(here):
        return False
    return not (_FLAG.match(here) and _flags_before(text, at) % 2)


def _flags_before(text: str, at: int) -> int:
    start = at
    while start > max(0, at - _MOST_FLAGS) and _FLAG.match(text[start - 1]):
        start -= 1
    return at - start
