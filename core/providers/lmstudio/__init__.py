"""LM Studio: its models, their life, their answers."""

from core.providers.lmstudio.client import LMStudio

__all__ = ["LMStudio"]
