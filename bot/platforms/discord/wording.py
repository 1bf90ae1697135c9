"""The few sentences that the Discord platform itself says."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.documents import DocumentTexts


@dataclass(frozen=True, slots=True)
class DiscordTexts:
    """Whoever builds the platform fills these in, once for each language."""

    nothing: str = "Não há nada em andamento."
    stale: str = "Este botão não vale mais."
    not_yours: str = "Só quem perguntou, ou quem administra o servidor, pode usar este botão."
    not_fetched: str = "⚠️ Não consegui baixar o arquivo do Discord."
    not_fetched_body: str = "Mande-o de novo."
    rejected: str = "o Discord (ou o servidor de DISCORD_API_ROOT) o recusa; gere outro no portal do Discord"
    choose: str = "Escolha…"
    option: str = "argumento"
    file: str = "Um arquivo de texto, um PDF ou uma imagem"
    whole: str = "A resposta inteira está no arquivo."
    whole_name: str = "resposta.md"
    thread: str = "🧵 A conversa continua em {thread}."
    thread_name: str = "Conversa com {name}"
    thread_hello: str = "🧵 Esta conversa começa do zero."
    thread_hello_body: str = "Escreva aqui sem me mencionar, {name}: nesta linha ouço tudo."
    thread_away: str = "⚠️ O Discord não respondeu: a linha de conversa não foi aberta."
    thread_away_body: str = "Tente de novo daqui a pouco."
    thread_nowhere: str = "🧵 Aqui não dá para abrir uma linha de conversa."
    thread_nowhere_body: str = "Use /thread num canal de texto de um servidor em que eu possa criar linhas."
    deaf: str = "👂 Neste servidor só ouço comandos, menções e conversas diretas."
    deaf_body: str = (
        "Sem a permissão “Message Content Intent”, o Discord não me mostra as outras mensagens. "
        "Quem cuida do bot pode ligá-la no portal do Discord; depois é só reiniciar."
    )
    documents: DocumentTexts = field(default_factory=DocumentTexts)


Speak = Callable[[str | None], DiscordTexts]
"""From a person's language as Discord names it (`pt-BR`, `en-US`) to the sentences in it."""


def in_portuguese(_: str | None) -> DiscordTexts:
    """The sentences as they stand here, whatever the language."""
    return DiscordTexts()
