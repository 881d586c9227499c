"""Caches GHL's answers to whether its own bot wrote a message, and which locations may not ask."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from redis.exceptions import OutOfMemoryError

from bridge.store.redis.connection import reaching
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from redis import Redis

    from bridge.model import Lane, LocationId, MessageId

# A takeover is checked again for as long as it lasts, a day by default.
KEPT_MS = 7 * 24 * 3600 * 1000
# A scope that was added counts within this time.
UNASKABLE_MS = 3600 * 1000


class Generations:
    """Raises Unavailable when Redis can't be reached.

    This cache only saves requests to GHL: if Redis is full, nothing is stored, GHL is asked again, and no turn waits.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def known(self, lane: Lane, message_id: MessageId) -> bool | None:
        """Whether the bot wrote it; None: GHL was not asked."""
        with reaching(f"read who wrote messages of {lane}"):
            found = self._redis.hget(key("generated", str(lane)), message_id)
        return None if found is None else found == "1"

    def put(self, lane: Lane, message_id: MessageId, *, by_bot: bool) -> None:
        """Store GHL's answer."""
        with reaching(f"note who wrote a message of {lane}"), suppress(OutOfMemoryError):
            pipe = self._redis.pipeline(transaction=False)
            pipe.hset(key("generated", str(lane)), message_id, int(by_bot))
            pipe.pexpire(key("generated", str(lane)), KEPT_MS)
            pipe.execute()

    def askable(self, location_id: LocationId) -> bool:
        """Whether GHL may be asked for this location: it has not refused within an hour."""
        with reaching(f"read whether GHL reports its bot's messages of {location_id}"):
            return not self._redis.exists(key("unaskable", location_id))

    def refused(self, location_id: LocationId) -> None:
        """Note that GHL refused the request, usually because the scope is missing."""
        with reaching(f"note that GHL does not report its bot's messages of {location_id}"), suppress(OutOfMemoryError):
            self._redis.set(key("unaskable", location_id), 1, px=UNASKABLE_MS)
