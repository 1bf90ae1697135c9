"""Events and Problems into cards, in the reader's language. Pure: nothing is asked of anybody here."""

from bot.present.benches import benches
from bot.present.figures import drawing, figures, model_name
from bot.present.jobs import job
from bot.present.models import LONGEST_LABEL, mark, model_detail, place, reason, short_name, told_apart
from bot.present.problems import not_remembered, offers, trouble, unusable
from bot.present.progress import loaded, loaded_header, loading, reading, waiting

__all__ = [
    "LONGEST_LABEL",
    "benches",
    "drawing",
    "figures",
    "job",
    "loaded",
    "loaded_header",
    "loading",
    "mark",
    "model_detail",
    "model_name",
    "not_remembered",
    "offers",
    "place",
    "reading",
    "reason",
    "short_name",
    "told_apart",
    "trouble",
    "unusable",
    "waiting",
]
