"""Text from a model, before anything reads it: whole characters only, and nothing that steers a screen."""

import re

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
