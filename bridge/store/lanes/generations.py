"""Which messages GHL's own bot wrote, as far as GHL was asked, and where it can't be asked."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from redis.exceptions import OutOfMemoryError

from bridge.store.redis.connection import reaching
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from redis import Redis

    from bridge.model import Lane, LocationId, MessageId

# A takeover is judged again for as long as it lasts, a day by default.
KEPT_MS = 7 * 24 * 3600 * 1000
# A scope that is added counts before long.
UNASKABLE_MS = 3600 * 1000


class Generations:
    """Raises Unavailable when Redis can't be reached.

    What is kept here only saves a question to GHL: a full Redis takes no note, GHL is asked again, and no turn waits for it.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def known(self, lane: Lane, message_id: MessageId) -> bool | None:
        """Whether the bot wrote it; None: GHL was not asked."""
        with reaching(f"read who wrote messages of {lane}"):
            found = self._redis.hget(key("generated", str(lane)), message_id)
        return None if found is None else found == "1"

    def put(self, lane: Lane, message_id: MessageId, *, by_bot: bool) -> None:
        """Keep what GHL answered."""
        with reaching(f"note who wrote a message of {lane}"), suppress(OutOfMemoryError):
            pipe = self._redis.pipeline(transaction=False)
            pipe.hset(key("generated", str(lane)), message_id, int(by_bot))
            pipe.pexpire(key("generated", str(lane)), KEPT_MS)
            pipe.execute()

    def askable(self, location_id: LocationId) -> bool:
        """Whether GHL may be asked for this location: it has not refused within an hour."""
        with reaching(f"read whether GHL tells {location_id} of its bot"):
            return not self._redis.exists(key("unaskable", location_id))

    def refused(self, location_id: LocationId) -> None:
        """GHL refuses to tell, mostly for want of the scope."""
        with reaching(f"note that GHL does not tell {location_id} of its bot"), suppress(OutOfMemoryError):
            self._redis.set(key("unaskable", location_id), 1, px=UNASKABLE_MS)
