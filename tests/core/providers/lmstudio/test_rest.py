"""HTTP: what an address means, when a request is tried again, how a refusal is told."""

import httpx2
import pytest

from core.errors import Unauthorized, Unreachable
from core.providers.lmstudio.rest import Rest, label_of, origin

ADDRESSES = [
    ("http://127.0.0.1:1234", "http://127.0.0.1:1234", "127.0.0.1:1234"),
    ("http://127.0.0.1:1234/", "http://127.0.0.1:1234", "127.0.0.1:1234"),
    (" http://127.0.0.1:1234/v1 ", "http://127.0.0.1:1234", "127.0.0.1:1234"),
    ("http://127.0.0.1:1234/api/v1/models?x=1#y", "http://127.0.0.1:1234", "127.0.0.1:1234"),
    ("127.0.0.1:1234", "http://127.0.0.1:1234", "127.0.0.1:1234"),
    ("localhost:1234/v1", "http://localhost:1234", "localhost:1234"),
    ("192.168.0.5", "http://192.168.0.5:1234", "192.168.0.5:1234"),
    ("pc.local/v1", "http://pc.local:1234", "pc.local:1234"),
    ("ws://pc.local:1234/llm", "http://pc.local:1234", "pc.local:1234"),
    ("wss://pc.local", "https://pc.local", "pc.local"),
    ("HTTPS://pc.local/v1", "https://pc.local", "pc.local"),
    ("http://[::1]:1234/v1", "http://[::1]:1234", "[::1]:1234"),
    ("http://me:secret@pc.local:1", "http://me:secret@pc.local:1", "pc.local:1"),
]


@pytest.mark.parametrize(("written", "meant", "shown"), ADDRESSES)
def test_addresses(written: str, meant: str, shown: str) -> None:
    """Any form people write leads to the origin; what is shown holds no password."""
    assert origin(written) == meant
    assert label_of(written) == shown


class Host:
    """Plays a list of answers; an exception is raised."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.seen: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def rest(host: Host, token: str | None = None) -> Rest:
    return Rest("http://h:1", token=token, transport=httpx2.MockTransport(host))


HTML = "<html>oops</html>"
FINE: dict[str, list[str]] = {"models": []}


async def test_html_once_is_passed_over() -> None:
    """A 500 with HTML slips in when a load begins: a listing is asked again."""
    host = Host(httpx2.Response(500, text=HTML), httpx2.Response(200, json=FINE))
    assert (await rest(host).get("/x")).body == FINE


async def test_html_twice_is_an_error() -> None:
    """A host that only speaks HTML is told by its status."""
    host = Host(httpx2.Response(502, text=HTML), httpx2.Response(502, text=HTML))
    answer = await rest(host).get("/x")
    assert answer.error is not None
    assert answer.error.text == "HTTP 502"
    assert len(host.seen) == 2


async def test_a_reset_connection_is_tried_again() -> None:
    """Idle connections are closed after five seconds: a reset GET is asked once more, a POST never."""
    host = Host(httpx2.ReadError("reset"), httpx2.Response(200, json=FINE))
    assert (await rest(host).get("/x")).body == FINE
    host = Host(httpx2.ReadError("reset"))
    with pytest.raises(Unreachable):
        await rest(host).post("/x", {})
    assert len(host.seen) == 1


@pytest.mark.parametrize(
    "error", [httpx2.ReadTimeout("late"), httpx2.RemoteProtocolError("what"), httpx2.DecodingError("gzip")]
)
async def test_what_the_library_raises_is_unreachable(error: Exception) -> None:
    """A connection that fails in any way is told as one Problem, with the host."""
    with pytest.raises(Unreachable) as caught:
        await rest(Host(error, error)).get("/x")
    assert caught.value.host == "h:1"
    with pytest.raises(Unreachable):
        await rest(Host(error)).post("/x", {})


async def test_a_refused_connection_is_not_tried_again() -> None:
    """Nobody listens: asking twice would only cost time."""
    host = Host(httpx2.ConnectError("refused"))
    with pytest.raises(Unreachable, match="ConnectError: refused"):
        await rest(host).get("/x")


@pytest.mark.parametrize("token", [None, "sk"])
async def test_unauthorized(token: str | None) -> None:
    """A 401 is told with whether a token was sent at all; it never means a missing route."""
    host = Host(httpx2.Response(401, json={"error": {"message": "m"}}))
    with pytest.raises(Unauthorized) as caught:
        await rest(host, token).get("/x")
    assert caught.value.token_set == (token is not None)
    assert host.seen[0].headers.get("authorization") == (f"Bearer {token}" if token else None)


@pytest.mark.parametrize(("body", "yes"), [({"lmstudio": True}, True), ({"lmstudio": 1}, False), ([], False)])
async def test_greeting(body: object, *, yes: bool) -> None:
    """Only LM Studio's own greeting counts."""
    assert await rest(Host(httpx2.Response(200, json=body))).greeting() is yes
