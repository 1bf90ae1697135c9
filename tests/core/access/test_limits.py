"""How much each may use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access.limits import MINUTE, Pace
from core.access.rules import Rules
from core.people import Role
from core.refusals import TooManyMessages
from core.settings import Settings
from tests.core.access.conftest import Opened
from tests.fakes.clock import FakeClock


async def test_messages_per_minute(opened: Opened, clock: FakeClock) -> None:
    """So many in any minute; the refusal says when the next one is taken, and then it is. Others are not held up."""
    settings = Settings(_env_file=None, messages_per_minute=3, guest_messages_per_minute=1)
    access = await opened(**{name: getattr(Rules.of(settings), name) for name in ("member", "guest")})
    for _ in range(3):
        access.pace("telegram:42", Role.MEMBER)
        await clock.advance(10)
    with pytest.raises(TooManyMessages) as refused:
        access.pace("telegram:42", Role.MEMBER)
    assert (refused.value.limit, refused.value.renews_in) == (3, 30)
    access.pace("telegram:43", Role.GUEST)
    with pytest.raises(TooManyMessages):
        access.pace("telegram:43", Role.GUEST)
    await clock.advance(30)
    access.pace("telegram:42", Role.MEMBER)
    for _ in range(100):
        access.pace("telegram:1", Role.ADMINISTRATOR)


@given(st.lists(st.floats(0.01, 50), max_size=60), st.integers(1, 5))
def test_never_more_than_so_many_in_any_minute(pauses: list[float], limit: int) -> None:
    """Whatever the rhythm: no minute holds more than the limit, and who waits as told is taken."""
    clock = FakeClock()
    pace = Pace(clock)
    taken = []
    for pause in pauses:
        clock._passed += pause
        wait = pace.admit("a", limit)
        assert 0 <= wait <= MINUTE
        if not wait:
            taken.append(clock.monotonic())
        else:
            clock._passed += wait + 1e-6
            assert pace.admit("a", limit) == 0
            taken.append(clock.monotonic())
    for at in taken:
        assert sum(at - MINUTE < other <= at for other in taken) <= limit
