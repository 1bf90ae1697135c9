"""A model's Markdown for platforms: rendered to text and spans, counted, cut, and followed while it grows."""

from bot.markdown.growing import Growing, GrowingSource
from bot.markdown.render import render
from bot.markdown.spans import Kind, Rendered, Span
from bot.markdown.split import discord, parts, split
from bot.markdown.telegram import MOST_ENTITIES, Entity, utf16

__all__ = [
    "MOST_ENTITIES",
    "Entity",
    "Growing",
    "GrowingSource",
    "Kind",
    "Rendered",
    "Span",
    "discord",
    "parts",
    "render",
    "split",
    "utf16",
]
