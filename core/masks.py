"""Secrets that the program has in its hands, taken out of any text that leaves it."""

from collections import OrderedDict
from threading import Lock

from pydantic import SecretStr

from core.keyshape import hide_keys

MASK = "•••"
SHORTEST = 6  # characters; hiding shorter ones would tear ordinary words apart
REMEMBERED = 512


class Masks:
    """`add` what must not be read, `hide` it in what is written. Loggers of any thread may use it.

    `fixed` = secrets known from the start, however short.
    """

    def __init__(self, fixed: tuple[str, ...] = ()) -> None:
        self._fixed = tuple(sorted(filter(None, fixed), key=len, reverse=True))
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def add(self, secret: SecretStr) -> None:
        """From now on this is hidden. Of those added, the ones used last are remembered."""
        text = secret.get_secret_value()
        if len(text) < SHORTEST:
            return
        with self._lock:
            self._seen[text] = None
            self._seen.move_to_end(text)
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)

    def hide(self, text: str) -> str:
        """The text without any of them, and without anything that is shaped like a key."""
        with self._lock:
            known = (*self._fixed, *self._seen)
        for secret in known:
            text = text.replace(secret, MASK)
        return hide_keys(text)
