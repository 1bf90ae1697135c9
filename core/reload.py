"""Settings read again while the program runs: some of them count at once, the others need a restart."""

from dataclasses import dataclass

from core.settings import Settings

# What is asked for each time it is used, or handed on by `Engine.reload`. Everything else was built into
# something at the start: connections, platforms, folders, keys.
AT_ONCE = frozenset(
    {
        "log_level",
        "prefer",
        "preload",
        "idle_unload",
        "keep_measures",
        "access",
        "admins",
        "messages_per_minute",
        "tokens_per_day_local",
        "tokens_per_day_external",
        "guest_messages_per_minute",
        "guest_tokens_per_day_local",
        "guest_tokens_per_day_external",
    }
)


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Names of settings as they are written: those that count from now on, and those that need a restart."""

    settings: Settings
    taken: tuple[str, ...]
    restart: tuple[str, ...]


def compared(old: Settings, new: Settings) -> Reloaded:
    """The old settings with what of the new ones counts at once."""
    changed = [name for name in Settings.model_fields if getattr(old, name) != getattr(new, name)]
    taken = {name: getattr(new, name) for name in changed if name in AT_ONCE}
    return Reloaded(
        old.model_copy(update=taken),
        tuple(name.upper() for name in taken),
        tuple(name.upper() for name in changed if name not in AT_ONCE),
    )
