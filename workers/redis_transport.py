"""Kombu's transport for a broker on Redis, which outlives what it can't read."""

from __future__ import annotations

from queue import Empty
from typing import Any

import structlog
from kombu.transport.redis import Channel as EveryChannel
from kombu.transport.redis import Transport as EveryTransport

log = structlog.get_logger()

# What decoding an item raises, or looking into one that is none of a broker's.
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError)


class TolerantChannel(EveryChannel):
    """Drops an item that is no message. It has left the queue by then, and what it may have woken comes due again."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc] # kombu is typed for its callers
        except UNREADABLE as error:
            log.warning("broker.dropped", why="an item of the queue is no broker's message", error=type(error).__name__)
            raise Empty from None


class TolerantTransport(EveryTransport):
    """With that channel."""

    Channel = TolerantChannel
    # How long a fetch waits for a wake-up: one that comes ends it, and each is a command.
    brpop_timeout = 8
