"""Every row of the table of errors, over each vendor's wire; what is tried again, and what no text carries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from core import errors
from core.conversation import Role, Turn
from core.errors import ApiProblem, ApiUnreachable, ContextTooLong, Overloaded, Problem
from core.providers import refusals
from core.providers.vendors import VENDORS, Meaning
from tests.core.providers.api.lab import ROWS, a_lab
from tests.fakes.vendors import gemini, openai
from tests.fakes.vendors.rows import Refused
from tests.fakes.vendors.script import Row, Say

EVERY = [(name, row) for name, table in ROWS.items() for row in table]


@pytest.mark.parametrize(("name", "refused"), EVERY, ids=lambda one: getattr(one, "label", one))
async def test_a_row_of_the_table(name: str, refused: Refused) -> None:
    """The refusal becomes its Problem, after as many tries as it is worth, with the wait that was told."""
    async with a_lab(name) as lab:
        lab.server.script += [refused.row] * 4
        with pytest.raises(Problem) as caught:
            await lab.ask()
        problem = caught.value
        assert type(problem).__name__ == refused.meaning
        assert len(lab.server.questions()) == refused.tries
        if isinstance(problem, ApiProblem):
            assert (problem.vendor, problem.own) == (name, False)
            assert problem.retry_after == refused.after
        assert "<html" not in str(problem)


async def test_a_short_wait_is_honoured_and_then_it_is_answered() -> None:
    """What Retry-After says is waited for, once for each try, and the answer comes."""
    async with a_lab("openai") as lab:
        wait = Row(429, openai.error("Slow", "requests", "rate_limit_exceeded"), {"retry-after": "7"})
        lab.server.script += [wait, Say(("Oi",))]
        assert await lab.text() == "Oi"
        assert lab.clock.slept == [7.0]


@pytest.mark.parametrize("told", ["1e9", "1e300", "99999999999"])
async def test_a_wait_without_sense_is_a_day(told: str) -> None:
    """A broken clock somewhere does not put a model aside for ever, nor fill a card with digits."""
    async with a_lab("openai") as lab:
        lab.server.script.append(
            Row(429, openai.error("Slow", "requests", "rate_limit_exceeded"), {"retry-after": told})
        )
        with pytest.raises(errors.RateLimited) as caught:
            await lab.ask()
        assert caught.value.retry_after == 86_400


async def test_a_wait_that_nobody_bears_is_told_at_once() -> None:
    """All pauses of a question together stay within what a person bears."""
    async with a_lab("openai") as lab:
        wait = Row(429, openai.error("Slow", "requests", "rate_limit_exceeded"), {"retry-after": "12"})
        lab.server.script += [wait, wait, Say(("Oi",))]
        with pytest.raises(errors.RateLimited) as caught:
            await lab.ask()
        assert caught.value.retry_after == 12.0
        assert lab.clock.slept == [12.0]


async def test_pauses_without_a_hint_grow() -> None:
    """Half a second, then a second, each with a little chance."""
    async with a_lab("google") as lab:
        busy = Row(503, gemini.error(503, "UNAVAILABLE", "The model is overloaded."))
        lab.server.script += [busy, busy, Say(("Oi",))]
        assert await lab.text() == "Oi"
        first, second = lab.clock.slept
        assert 0.5 <= first <= 0.625
        assert 1.0 <= second <= 1.25


async def test_the_server_s_own_word_on_retrying_counts() -> None:
    """`x-should-retry: true` makes a limit without a hint worth another try."""
    async with a_lab("openai") as lab:
        limit = Row(429, openai.error("Slow", "requests"), {"x-should-retry": "true"})
        lab.server.script += [limit, Say(("Oi",))]
        assert await lab.text() == "Oi"


async def test_a_wait_told_as_a_date() -> None:
    """The other form of Retry-After is reckoned from the server's own time."""
    headers = {"retry-after": "Thu, 26 Nov 2026 19:00:07 GMT", "date": "Thu, 26 Nov 2026 19:00:00 GMT"}
    assert refusals.read(429, headers, None).after == 7.0
    assert refusals.read(429, {"retry-after": "soon", "date": "now"}, None).after is None
    assert refusals.read(429, {"retry-after": "-1"}, None).after is None


async def test_an_error_within_a_stream_names_its_status() -> None:
    """Routers put the status of what is behind them into the event: a limit is not taken for a fault."""
    async with a_lab("own") as lab:
        limit = Row(0, {"error": {"code": 429, "message": "Rate limited", "metadata": {}}, "choices": []})
        lab.server.script.append(Say((), breaks=limit))
        with pytest.raises(errors.RateLimited):
            await lab.ask()
        assert len(lab.server.questions()) == 1


async def test_what_no_header_bears_is_no_key() -> None:
    """A key with a line break or a foreign letter is rejected before anything is sent."""
    async with a_lab("openai") as lab:
        for wrong in ("sk-chavé-0123456789", "sk-0123456789\nX-Evil: 1", "  "):
            with pytest.raises(errors.KeyRejected):
                await lab.api.check(SecretStr(wrong))
        assert lab.server.asked == []


async def test_gemini_s_internal_error_of_a_long_prompt() -> None:
    """500 INTERNAL with a prompt that fills the context means the context; a short one means a fault."""
    async with a_lab("google") as lab:
        lab.server.script += [Row(500, gemini.error(500, "INTERNAL", "An internal error has occurred."))] * 5
        with pytest.raises(ContextTooLong):
            await lab.ask(Turn(Role.USER, "a " * 160_000))
        assert len(lab.server.questions()) == 1
        with pytest.raises(Overloaded):
            await lab.ask()


async def test_a_server_that_is_not_there() -> None:
    """No answer at all is ApiUnreachable, after a few tries."""
    async with a_lab("openai") as lab:
        await lab.server.__aexit__(None, None, None)
        with pytest.raises(ApiUnreachable):
            await lab.ask()
        assert len(lab.clock.slept) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "type", "code", "status", "details", "detail", "loc", "param"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from([0, 400, 401, 403, 404, 429, 500, 529]), JSON, st.sampled_from(VENDORS))
def test_no_body_breaks_the_reading(status: int, body: object, vendor: object) -> None:
    """Whatever JSON comes, it has a meaning and a short text."""
    refusal = refusals.read(status, {"retry-after": str(body)}, body)
    assert len(refusal.text) <= refusals.LONGEST
    for one in VENDORS:
        assert isinstance(refusal.meaning(one), Meaning)
        assert isinstance(refusal.retriable(one), bool)
    assert vendor in VENDORS


KEYS = (
    "sk-proj-abcdefghijklmnop",
    "sk-ant-api03-abcdefgh-ij_kl",
    "hf_abcdefghijklmno",
    "AIzaSyAbcdefghijklmnop",
    "gsk-abcdefghijklm",
)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_in_a_vendor_s_words_is_masked(key: str) -> None:
    """Vendors quote keys in their errors: whole or in part, nothing of it is kept."""
    refusal = refusals.read(401, {}, {"error": {"message": f"Incorrect API key provided: {key}. Look"}})
    assert refusal.text == "Incorrect API key provided: •••. Look"
    odd = refusals.read(401, {}, {"message": "no such token: plainToken99"}, "plainToken99")
    assert odd.text == "no such token: •••"
    assert refusals.short("risk-management-of-a-bank") == "risk-management-of-a-bank"
