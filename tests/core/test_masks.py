"""What must not be read is taken out of whatever leaves the program."""

from pydantic import SecretStr

from core.masks import MASK, REMEMBERED, Masks


def test_what_is_known_is_hidden() -> None:
    """Secrets of the settings, however short, and those that were seen since; also several in a line."""
    masks = Masks(("tok", "", "token-longer"))
    masks.add(SecretStr("no shape at all"))
    assert masks.hide("a token-longer and tok, no shape at all.") == f"a {MASK} and {MASK}, {MASK}."


def test_what_looks_like_a_key_is_hidden() -> None:
    """Also one that nobody told of."""
    said = Masks().hide("Incorrect API key provided: sk-canary-0123456789abcdWXYZ.")
    assert said == "Incorrect API key provided: sk-…WXYZ."


def test_ordinary_words_stay() -> None:
    """A key of one letter would tear every line apart: only what the operator set is hidden however short."""
    masks = Masks()
    masks.add(SecretStr("a"))
    assert masks.hide("a day at the lake") == "a day at the lake"


def test_the_newest_are_remembered() -> None:
    """Keys of thousands of people do not pile up; one that is used again stays."""
    masks = Masks()
    masks.add(SecretStr("first-one"))
    for number in range(REMEMBERED - 1):
        masks.add(SecretStr(f"number-{number}"))
    masks.add(SecretStr("first-one"))
    masks.add(SecretStr("one-more"))
    assert masks.hide("first-one number-0 number-1") == f"{MASK} number-0 {MASK}"
