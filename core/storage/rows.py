"""Rows into values, where several groups of queries read the same table."""

from typing import Any

from core.conversation import Outcome, Role, Turn

TURN = "id, role, text, thinking, outcome, model_id, at, parent"


def as_turn(row: Any) -> Turn:
    """A row with the columns of TURN."""
    return Turn(
        id=row["id"],
        role=Role(row["role"]),
        text=row["text"],
        thinking=row["thinking"],
        outcome=Outcome(row["outcome"]),
        model_id=row["model_id"],
        at=row["at"],
        parent=row["parent"],
    )
