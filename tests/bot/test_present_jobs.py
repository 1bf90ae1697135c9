"""The jobs of the clock as lines of /status."""

import pytest

from bot import present
from bot.texts import Speech
from core.timetable import FAILED, OK, JobState

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("state", "mark", "told"),
    [
        (JobState("sync", NOW - 30, OK, NOW + 30), "⏱", "há 30 s, bem · a próxima em 30 s"),
        (JobState("sync", NOW - 90, FAILED), "⚠️", "há 1 min 30 s, falhou; será tentada de novo"),
        (JobState("sync", next=NOW - 5), "⏱", "ainda não rodou · a próxima em 0,0 s"),
    ],
)
def test_how_a_job_stands(state: JobState, mark: str, told: str) -> None:
    """When it ran last, how it ended, when it runs next."""
    row = present.job(state, NOW, Speech("pt-BR"))
    assert (row.mark, row.name, row.detail) == (mark, "verificar a lista", told)
