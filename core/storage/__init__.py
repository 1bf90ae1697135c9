"""What is remembered across restarts."""

from core.storage import backup
from core.storage.aside import set_aside_if_damaged
from core.storage.lock import sole
from core.storage.store import LoadRecord, Store

DATABASE = "orquestrador.db"

__all__ = ["DATABASE", "LoadRecord", "Store", "backup", "set_aside_if_damaged", "sole"]
