"""What happens by the clock, as lines of /status."""

from bot.cards import Row
from bot.texts import Speech
from core.timetable import FAILED, JobState


def job(state: JobState, now: float, t: Speech) -> Row:
    """When a job last ran, how it ended, and when it runs next; `now` in seconds since the epoch."""
    if not state.last:
        words = [t("status.job_never")]
    else:
        ago = t.seconds(max(0.0, now - state.last))
        words = [t("status.job_failed" if state.outcome == FAILED else "status.job_ok", ago=ago)]
    if state.next is not None:
        words.append(t("status.job_next", time=t.seconds(max(0.0, state.next - now))))
    mark = "⚠️" if state.outcome == FAILED else "⏱"
    return Row(mark, t(f"status.job_{state.name}"), " · ".join(words))
