"""The few sentences that the Telegram platform itself says."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.documents import DocumentTexts


@dataclass(frozen=True, slots=True)
class TelegramTexts:
    """Whoever builds the platform fills these in, once for each language.

    Answers to buttons are shown for a moment at the top of the chat: at most 200 characters.
    """

    stopped: str = "⏹ Parado."
    nothing: str = "Não há nada em andamento."
    stale: str = "Este botão não vale mais."
    not_yours: str = "Só quem perguntou, ou um administrador do grupo, pode usar este botão."
    not_fetched: str = "⚠️ Não consegui baixar o arquivo do Telegram."
    not_fetched_body: str = "Mande-o de novo."
    photo: str = "foto"
    documents: DocumentTexts = field(default_factory=DocumentTexts)
    rejected: str = "o Telegram (ou o servidor de TELEGRAM_API_ROOT) a recusa; confira-a com o @BotFather"


Speak = Callable[[str | None], TelegramTexts]
"""From a person's language as Telegram names it (`pt-br`, `en`) to the sentences in it."""


def in_portuguese(_: str | None) -> TelegramTexts:
    """The sentences as they stand here, whatever the language."""
    return TelegramTexts()
