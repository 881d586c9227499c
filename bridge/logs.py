"""Logs: one JSON line per event (or a readable one) on standard error, with ids and counts only."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import orjson
import structlog

if TYPE_CHECKING:
    from structlog.typing import Processor

LOUD = ("celery", "kombu", "amqp", "httpx", "httpcore", "uvicorn.access", "asyncio")


def configure(form: str, level: str) -> None:
    """Configure logging for this process and its libraries. `form` is `json` or `text`, `level` a standard level's name."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    before: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    render: Processor = (
        structlog.processors.JSONRenderer(_dump) if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    # Our own lines bypass the standard library, which would cost twice as much per line.
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *before, render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=render, foreign_pre_chain=before))
    logging.basicConfig(handlers=[handler], level=threshold, force=True)
    # At level info these log arguments, URLs or every call.
    for name in LOUD:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))


def _dump(event: object, **_: object) -> str:
    return orjson.dumps(event, default=str).decode()
