"""Who may talk to the bot, what each may do there, and how much of it."""

from core.access.access import Access
from core.access.limits import Allowance
from core.access.rules import BY_SETTING, Rules

__all__ = ["BY_SETTING", "Access", "Allowance", "Rules"]
