"""Inline keyboards as Telegram accepts them."""

from tests.fakes.telegram.wire import Json, bad

_MOST_BUTTONS = 100
_LONGEST_DATA = 64
_ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
    "disabled",
)


def inline_keyboard(markup: Json | None) -> Json | None:
    """The markup, if a person can see it under a message; an empty one is none."""
    if not markup or "inline_keyboard" not in markup:
        return None
    rows = [row for row in markup["inline_keyboard"] if row]
    buttons = [button for row in rows for button in row]
    if len(buttons) > _MOST_BUTTONS:
        raise bad("reply markup is too long")
    for button in buttons:
        _check(button)
    return {"inline_keyboard": rows} if rows else None


def _check(button: Json) -> None:
    told = "can't parse inline keyboard button: "
    if not str(button["text"]).strip():
        raise bad("BUTTON_TEXT_EMPTY")
    given = [name for name in _ACTIONS if name in button]
    if not given or not (button[given[0]] or given[0].startswith("switch")):
        raise bad(f"{told}Text buttons are unallowed in the inline keyboard")
    if len(str(button.get("callback_data", "")).encode()) > _LONGEST_DATA:
        raise bad("BUTTON_DATA_INVALID")
