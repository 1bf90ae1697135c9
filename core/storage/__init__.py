"""What is remembered across restarts."""

from core.storage.store import LoadRecord, Store

__all__ = ["LoadRecord", "Store"]
