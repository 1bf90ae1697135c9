"""An OpenAI that knows several keys, and quotes in full the one that it refuses: the worst that a vendor may do."""

from pathlib import Path

from aiohttp import web

from tests.fakes.vendors.openai import FakeOpenAI, error
from tests.fakes.vendors.script import Row

OWN = "sk-canary-Own0123456789abcdeWXYZ"
OTHERS = "sk-canary-Oth0123456789abcdeWXYZ"
SHARED = "sk-canary-All0123456789abcdeWXYZ"
WRONG = "sk-canary-Bad0123456789abcdeWXYZ"


class QuotingOpenAI(FakeOpenAI):
    """`good` = the keys it takes; `paid` = the key of each question, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.good = {OWN, OTHERS, SHARED}
        self.given = ""

    def allowed(self, request: web.BaseRequest) -> bool:
        self.given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return self.given in self.good

    def stranger(self) -> Row:
        words = f"Incorrect API key provided: {self.given}. Your header was 'Bearer {self.given}'."
        return Row(401, error(words, "invalid_request_error", "invalid_api_key"))

    @property
    def paid(self) -> list[str]:
        return [asked.headers["Authorization"].removeprefix("Bearer ") for asked in self.questions()]


def in_clear(folder: Path, *texts: str) -> list[str]:
    """Which files of the folder, and whether any of the texts, hold a canary."""
    files = [file for file in folder.rglob("*") if file.is_file() and b"canary" in file.read_bytes()]
    return [*map(str, files), *(text for text in texts if "canary" in text)]
