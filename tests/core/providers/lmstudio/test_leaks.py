"""Nothing is left behind in the connection pool, however a stream ends."""

from contextlib import aclosing

import pytest

from core.conversation import ReplyOptions, Role, Turn
from core.providers.lmstudio import LMStudio
from tests.fakes.lmstudio.server import FakeLMStudio, FakeModel

KEY = "a/b"


def held(client: LMStudio) -> int:
    """Requests that the pool still believes to be under way; httpcore2 has no public word for it."""
    return len(client._rest.http._transport._pool._requests)  # type: ignore[attr-defined]  # see above


@pytest.mark.parametrize("pieces", [None, 1, 3])
async def test_streams_give_their_place_in_the_pool_back(pieces: int | None) -> None:
    """Twenty answers read to the end, or left after so many pieces, hold no request afterwards."""
    async with FakeLMStudio([FakeModel(KEY, reply="um dois três quatro")], loaded=[KEY]) as server:
        client = LMStudio(server.url)
        model = (await client.models())[0]
        for _ in range(20):
            taken = 0
            async with aclosing(client.reply(model, [Turn(Role.USER, "oi")], ReplyOptions())) as events:
                async for _event in events:
                    taken += 1
                    if taken == pieces:
                        break
        assert held(client) == 0
        await client.aclose()
