"""The platform as the program opens it: where its history lies, and its sentences."""

from bot.opening import Opening
from bot.platforms.console.platform import ConsolePlatform
from bot.platforms.console.wording import ConsoleTexts


def open_platform(opening: Opening) -> ConsolePlatform:
    """The chat in this terminal, or in a pipe."""
    t = opening.speak(None)
    texts = ConsoleTexts(
        language=None,
        placeholder=t("console.placeholder"),
        stop_hint=t("console.stop_hint"),
        press_number=t("console.press_number"),
        thinking=t("console.thinking"),
        one_word=t("console.one_word"),
        words=t("console.words"),
        unfold_hint=t("console.unfold_hint"),
        rewritten=t("console.rewritten"),
        stopped=t("console.stopped"),
        goodbye=t("console.goodbye"),
    )
    return ConsolePlatform(history_file=opening.data_dir / "history", texts=texts)
