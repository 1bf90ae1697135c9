"""External APIs: one client over three wires; what differs between vendors stands in their table."""

from core.providers.api.client import Api

__all__ = ["Api"]
