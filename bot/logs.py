"""Logs: to a file beside the data while a person talks in the terminal, else to standard error.

A user's text, a key or a token is never logged; HTTP clients log addresses that hold tokens, so they are
kept at WARNING.
"""

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

from core.masks import Masks

LOUD = (
    "markdown_it",
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "aiosqlite",
    "apscheduler",
    "asyncio",
    "aiohttp.access",
)
FILE_BYTES = 2_000_000


class _Masking(structlog.stdlib.ProcessorFormatter):
    """Whatever a library puts into a line or a traceback, a secret leaves it."""

    def __init__(self, masks: Masks, processors: list[structlog.typing.Processor], **more: Any) -> None:
        super().__init__(processors=processors, **more)
        self._masks = masks

    def format(self, record: logging.LogRecord) -> str:
        return self._masks.hide(super().format(record))


def configure(level: str, form: str, file: Path | None, masks: Masks | None = None) -> None:
    """Send every log line to `file` (rotated, three kept) or, if it is `None`, to standard error.

    What `masks` knows appears in no line, whoever writes it.
    """
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if file is not None:
        handler = RotatingFileHandler(file, maxBytes=FILE_BYTES, backupCount=3, encoding="utf-8", delay=True)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,  # the conversation's id, whoever writes the line
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last: structlog.typing.Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if form == "console":
        last = structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "logger", "event"])
    handler.setFormatter(
        _Masking(
            masks or Masks(),
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.getLogger().handlers[:] = [handler]
    set_level(level)
    # They quote what people send: one when an answer of Telegram's cannot be read, the other with every event,
    # and the tokens of interactions in addresses. What matters we log ourselves.
    for name in ("telegram", "discord"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def set_level(level: str) -> None:
    """From now on nothing below that level is written."""
    root = logging.getLogger()
    root.setLevel(level)
    for name in LOUD:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
