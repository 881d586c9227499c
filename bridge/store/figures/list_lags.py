"""GHL's delay in listing a location's messages, measured within a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.policy.list_lag import ListLag
from bridge.store.redis.connection import reaching
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from redis import Redis

    from bridge.model import LocationId

KEPT_MS = 24 * 3600 * 1000


class ListLags:
    """Raises Unavailable when Redis can't be reached. If two processes measure at the same time, the last write counts."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def get(self, location_id: LocationId) -> ListLag:
        """The stored measurement."""
        with reaching(f"read how late GHL lists messages of {location_id}"):
            missing, listed = self._redis.hmget(key("lag", location_id), ["missing", "listed"])
        return ListLag(int(missing or 0), int(listed or 0))

    def put(self, location_id: LocationId, lag: ListLag) -> None:
        """Store a measurement."""
        with reaching(f"note how late GHL lists messages of {location_id}"):
            pipe = self._redis.pipeline(transaction=False)
            pipe.hset(key("lag", location_id), mapping={"missing": lag.missing, "listed": lag.listed})
            pipe.pexpire(key("lag", location_id), KEPT_MS)
            pipe.execute()
