"""The few sentences that the console itself says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConsoleTexts:
    """Whoever builds the platform fills these in the reader's language.

    `language` is that language (`pt-br`), told to the responder with every message;
    `None` leaves the choice to it.
    """

    language: str | None = None
    placeholder: str = "Escreva uma mensagem, ou / para ver os comandos"
    stop_hint: str = "Ctrl-C interrompe a resposta"
    press_number: str = "digite o número e Enter"
    thinking: str = "raciocínio"
    one_word: str = "1 palavra"
    words: str = "{count} palavras"
    unfold_hint: str = "Ctrl-T mostra"
    rewritten: str = "↺ o texto acima não vale mais; a resposta recomeça aqui"
    stopped: str = "Interrompido."
    goodbye: str = "Até logo."
