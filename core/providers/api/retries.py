"""Which refusals are tried again, and after how long. Only ever asked before the first word."""

import random

from core.providers.refusals import Refusal
from core.providers.vendors import Vendor

TRIES = 3  # requests in all
FIRST_PAUSE = 0.5  # seconds; doubles
LONGEST = 20.0  # seconds that a person is let wait for all pauses together


class Retries:
    """The tries of one question."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._tried = 0
        self._waited = 0.0

    def pause(self, refusal: Refusal) -> float | None:
        """Seconds until the next try; `None` if there is none: hopeless, too often, or too long to wait."""
        self._tried += 1
        if self._tried >= TRIES or not refusal.retriable(self._vendor):
            return None
        pause = refusal.after
        if pause is None:  # a little by chance: many chats were refused at the same moment
            pause = FIRST_PAUSE * 2 ** (self._tried - 1) * random.uniform(1.0, 1.25)  # noqa: S311  # no secret
        self._waited += pause
        return pause if self._waited <= LONGEST else None
