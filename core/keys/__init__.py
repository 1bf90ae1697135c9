"""The vault: vendors' keys, encrypted at rest, each for one person or for all."""

from core.keys.rings import FileRing, RingSource, SettingRing, fresh, ring_of
from core.keys.rotation import Rotated, rotate
from core.keys.sealing import Ring
from core.keys.vault import SHARED, Found, Keys, Origin

__all__ = [
    "SHARED",
    "FileRing",
    "Found",
    "Keys",
    "Origin",
    "Ring",
    "RingSource",
    "Rotated",
    "SettingRing",
    "fresh",
    "ring_of",
    "rotate",
]
