"""How long what failed is left alone, and what is held against it. Pure."""

from core.errors import ApiProblem, Unauthorized, Unreachable
from core.model import Failure, FailureKind

COOL_DOWN = 30.0  # seconds after a first failure; doubles with each further one
LONGEST_COOL_DOWN = 1800.0


def pause(times: int) -> float:
    """The cool-down after so many failures in a row."""
    return min(LONGEST_COOL_DOWN, COOL_DOWN * float(1 << min(times - 1, 10)))


def failure_of(problem: Unreachable | Unauthorized | ApiProblem, now: float) -> Failure:
    """What is held against every model of a host or a vendor that does not answer: until it does."""
    match problem:
        case Unreachable(_, detail):
            return Failure(FailureKind.UNREACHABLE, detail, now)
        case Unauthorized():
            return Failure(FailureKind.UNAUTHORIZED, "", now)
        case ApiProblem():
            return Failure(problem.kind, problem.text, now)
