"""A Problem that a person is told of, in the log and in the figures: once, with its cause."""

import structlog

from bot.watch import watching
from core.errors import ModelAmbiguous, ModelUnknown, Problem

log = structlog.get_logger(__name__)

_NOTED = "_noted"


def report(problem: Problem, event: str = "problem", **more: object) -> None:
    """Log it, unless that has been done already: on its way up several may want to tell of it."""
    if getattr(problem, _NOTED, False):
        return
    setattr(problem, _NOTED, True)
    kind = type(problem).__name__
    cause = problem.__cause__ or problem.__context__
    if cause is not None and not isinstance(cause, Problem):
        more["cause"] = type(cause).__name__  # its words may quote what was sent
    log.info(event, kind=kind, problem=_told(problem), **more)
    watching.get().problem(kind)


def _told(problem: Problem) -> str:
    """A name that a person typed is left out: it may be anything."""
    typed = isinstance(problem, ModelUnknown | ModelAmbiguous)
    return type(problem).__name__ if typed else str(problem)
