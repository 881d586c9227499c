"""The number of files read today, by location: reading costs money, and contacts decide how many files they send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.redis.connection import now_ms, reaching
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from redis import Redis

    from bridge.model import LocationId

DAY_MS = 24 * 3600 * 1000


class MediaReads:
    """The daily limits of all locations; a day ends at midnight UTC. Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def acquire(self, location_id: LocationId, most: int) -> bool:
        """Count one read of `most` a day. Returns False if the limit is reached."""
        with reaching(f"count the files that were read for {location_id}"):
            day = key("media_reads", location_id, str(now_ms(self._redis) // DAY_MS))
            pipe = self._redis.pipeline(transaction=True)
            pipe.incr(day)
            pipe.pexpire(day, 2 * DAY_MS)
            read, _ = pipe.execute()
        return int(read) <= most
