"""A lane's position: its waiting messages, whether a worker holds it, and when it is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.store.redis.connection import now_ms, reaching
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from bridge.model import Lane
    from bridge.store.redis.connection import Redis


@dataclass(frozen=True, slots=True, kw_only=True)
class LanePosition:
    """`waiting` messages; `working`: a worker holds the lane; `due_at_ms` is its due time, 0 if no message waits."""

    waiting: int
    working: bool
    due_at_ms: int
    attempts: int


class LanePositions:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def place(self, lane: Lane) -> LanePosition:
        """The current position of a lane."""
        with reaching(f"look at {lane}"):
            now = now_ms(self._redis)
            pipe = self._redis.pipeline(transaction=False)
            pipe.llen(key("waiting", str(lane)))
            pipe.hmget(key("lane", str(lane)), ["lease_until", "attempts"])
            pipe.zscore(key("due", lane.location_id), lane.contact_id)
            waiting, (leased, attempts), due = pipe.execute()
        return LanePosition(waiting=waiting, working=int(leased or 0) > now, due_at_ms=int(due or 0), attempts=int(attempts or 0))
