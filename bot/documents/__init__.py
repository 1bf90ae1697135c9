"""Files that come with a question: which ones a model can read, and their words for the prompt.

For every platform alike: it fetches the bytes, `Documents` makes words of them or says why not.
"""

from bot.documents.kinds import LIMITS, Kind, kind_of
from bot.documents.reading import Documents, Reason, Unreadable
from bot.documents.wording import DocumentTexts, document_texts, refusal

__all__ = [
    "LIMITS",
    "DocumentTexts",
    "Documents",
    "Kind",
    "Reason",
    "Unreadable",
    "document_texts",
    "kind_of",
    "refusal",
]
