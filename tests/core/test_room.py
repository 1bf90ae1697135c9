"""Will it fit, and who leaves."""

from core.model import Estimate, Resident
from core.room import MakeRoom, plan

GB = 10**9
NEEDS_TEN = Estimate(10 * GB, fits=False)
OLD = Resident("old", "k/old", "Old", 6 * GB, idle=2500)
NEW = Resident("new", "k/new", "New", 6 * GB, idle=10)
BUSY = Resident("busy", "k/busy", "Busy", 20 * GB, idle=None, busy=True)
OURS = frozenset({"old", "new", "busy"})


def test_what_fits_is_loaded_without_a_word() -> None:
    """Nobody leaves for a model that fits, and none is asked of a host that cannot tell."""
    assert plan(Estimate(GB, fits=True), [OLD], OURS, MakeRoom.AUTO).go
    assert plan(None, [OLD], OURS, MakeRoom.NEVER).go


def test_a_person_is_asked_about_the_longest_idle_first() -> None:
    """ASK evicts nobody and offers as many as are needed, longest idle first."""
    decided = plan(NEEDS_TEN, [NEW, OLD, BUSY], OURS, MakeRoom.ASK)
    assert not decided.go
    assert [r.instance for r in decided.offer] == ["old", "new"]


def test_auto_takes_only_what_is_ours_and_idle() -> None:
    """Somebody else's model and one that answers stay; without any of ours a person is asked."""
    decided = plan(NEEDS_TEN, [NEW, OLD, BUSY], frozenset({"new", "busy"}), MakeRoom.AUTO)
    assert [r.instance for r in decided.evict] == ["new"]
    foreign = plan(NEEDS_TEN, [NEW, OLD, BUSY], frozenset(), MakeRoom.AUTO)
    assert foreign.evict == ()
    assert [r.instance for r in foreign.offer] == ["old", "new"]


def test_never_means_never() -> None:
    """NEVER neither evicts nor offers to."""
    decided = plan(NEEDS_TEN, [NEW, OLD], OURS, MakeRoom.NEVER)
    assert (decided.evict, decided.offer, decided.go) == ((), (), False)


def test_no_more_leave_than_are_needed() -> None:
    """Six gigabytes are asked for: the oldest idle one of that size is enough."""
    decided = plan(Estimate(6 * GB, fits=False), [NEW, OLD], OURS, MakeRoom.ASK)
    assert [r.instance for r in decided.offer] == ["old"]
