"""The newest event of each location, and the newest refused webhook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.model import LocationId
from bridge.store.redis.connection import reaching, text
from bridge.store.redis.partition_calls import members
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis


class LastEvents:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def last_events(self) -> dict[LocationId, int]:
        """The time of each known location's newest event (ms; 0: none yet)."""
        with reaching("look for the locations' newest events"):
            ids = [LocationId(one) for one in members(self._redis, "locations")]
            pipe = self._redis.pipeline(transaction=False)
            for one in ids:
                pipe.hget(key("location", one), "last_event_at")
            return {one: int(at or 0) for one, at in zip(ids, pipe.execute(), strict=True)}

    def last_refused(self) -> tuple[int, str] | None:
        """The newest refused webhook: its time (ms, rounded to a second) and the answer; None: none within 30 days."""
        with reaching("look for refused calls"):
            at, code = self._redis.hmget(key("refused"), ["at", "code"])
        return (int(at), text(code)) if at else None
