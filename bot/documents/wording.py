"""Why a file cannot be read, as a card."""

from dataclasses import dataclass

from bot.cards import Notice, Tone
from bot.documents.reading import Reason, Unreadable
from bot.opening import Say

_MEGA = 1_000_000


@dataclass(frozen=True, slots=True)
class DocumentTexts:
    """The sentences, once for each language; `{name}` is the file's, `{limit}` a size."""

    unreadable: str = "⚠️ Não sei ler este tipo de mensagem."
    unreadable_body: str = (
        "Mande texto, uma foto, um PDF ou um arquivo de texto (txt, md, csv, json, código)."
    )
    too_large: str = '⚠️ O arquivo "{name}" é grande demais.'
    too_large_body: str = "O limite é {limit}."
    too_long: str = '⚠️ O texto de "{name}" é longo demais.'
    too_long_body: str = "O limite é de {limit} caracteres. Mande uma parte dele."
    not_text: str = '⚠️ O arquivo "{name}" não parece texto.'
    encrypted: str = '⚠️ O PDF "{name}" está protegido por senha.'
    encrypted_body: str = "Mande-o sem a senha."
    broken: str = '⚠️ O PDF "{name}" está danificado ou não é um PDF.'
    broken_body: str = "Salve-o de novo, ou mande o texto."
    no_words: str = '⚠️ O PDF "{name}" não contém texto, só imagens de páginas.'
    no_words_body: str = "Mande as páginas como fotos a um modelo que enxerga (👁), ou o texto."
    too_slow: str = '⚠️ Ler o PDF "{name}" demora demais.'
    too_slow_body: str = "Mande uma parte dele, ou o texto."


def document_texts(t: Say) -> DocumentTexts:
    """The sentences in the language of `t`."""
    return DocumentTexts(
        unreadable=t("document.unreadable"),
        unreadable_body=t("document.unreadable_body"),
        too_large=t("document.too_large"),
        too_large_body=t("document.too_large_body"),
        too_long=t("document.too_long"),
        too_long_body=t("document.too_long_body"),
        not_text=t("document.not_text"),
        encrypted=t("document.encrypted"),
        encrypted_body=t("document.encrypted_body"),
        broken=t("document.broken"),
        broken_body=t("document.broken_body"),
        no_words=t("document.no_words"),
        no_words_body=t("document.no_words_body"),
        too_slow=t("document.too_slow"),
        too_slow_body=t("document.too_slow_body"),
    )


def refusal(why: Unreadable, texts: DocumentTexts) -> Notice:
    """The card that says why, and what to do instead."""
    title, body = _words(why.reason, texts)
    return Notice(Tone.WARNING, title.format(name=why.name), body.format(limit=size(why)))


def size(why: Unreadable) -> str:
    """The limit as people write it."""
    if why.reason is Reason.TOO_LONG:
        return f"{why.limit:,}".replace(",", "\u202f")
    return f"{why.limit // _MEGA} MB" if why.limit >= _MEGA else f"{why.limit // 1000} KB"


def _words(reason: Reason, texts: DocumentTexts) -> tuple[str, str]:
    return {
        Reason.TOO_LARGE: (texts.too_large, texts.too_large_body),
        Reason.TOO_LONG: (texts.too_long, texts.too_long_body),
        Reason.NOT_TEXT: (texts.not_text, texts.unreadable_body),
        Reason.ENCRYPTED: (texts.encrypted, texts.encrypted_body),
        Reason.BROKEN: (texts.broken, texts.broken_body),
        Reason.NO_WORDS: (texts.no_words, texts.no_words_body),
        Reason.TOO_SLOW: (texts.too_slow, texts.too_slow_body),
    }[reason]
