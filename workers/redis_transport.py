"""Kombu's transport for a broker on Redis, tolerant of items that it can't read."""

from __future__ import annotations

from queue import Empty
from typing import Any

import structlog
from kombu.transport.redis import Channel as EveryChannel
from kombu.transport.redis import Transport as EveryTransport

log = structlog.get_logger()

# The errors of decoding an invalid item.
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError)


class TolerantChannel(EveryChannel):
    """Drops an invalid item, which has left the queue already; a lane that it may have woken becomes due again."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc] # kombu is typed for its callers
        except UNREADABLE as error:
            log.warning("broker.dropped", why="an item of the queue is not a valid message", error=type(error).__name__)
            raise Empty from None


class TolerantTransport(EveryTransport):
    """A Redis transport with `TolerantChannel`."""

    Channel = TolerantChannel
    # How long a fetch waits for a wake-up. A wake-up ends it, and each fetch is a command.
    brpop_timeout = 8
