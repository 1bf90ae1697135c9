"""Where a bug is, told so that a log may hold it."""

import traceback


def where(bug: BaseException | None) -> str:
    """The kind of an exception, its causes and the lines of code; not its words, which may quote a person."""
    parts = []
    while bug is not None:
        parts.append("".join(traceback.format_tb(bug.__traceback__)) + type(bug).__qualname__)
        bug = bug.__cause__ or bug.__context__
    return "\nafter\n".join(parts)
