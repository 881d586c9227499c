"""Undelivered replies, and the number of replies that GHL accepted in the same time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.model import Lane
from bridge.store.redis.connection import now_ms, reaching
from bridge.store.redis.partition_calls import newest
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis

HOUR_MS = 3_600_000
# As in `parts/delivery.lua`.
SPAN_MS = 600_000
MOST = 1000


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A reply that did not reach its contact: GHL's id, the channel, and the time of GHL's report (ms)."""

    lane: Lane
    reply_id: str
    channel: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Failing:
    """A location's numbers of undelivered and of accepted replies within an hour."""

    undelivered: int
    taken: int

    @property
    def share(self) -> float:
        """The undelivered share, 0 to 1; it is limited because earlier accepted replies may be reported now."""
        return self.undelivered / max(self.undelivered, self.taken, 1)


def undelivered(redis: Redis, *, since_ms: int = 0) -> tuple[Undelivered, ...]:
    """The replies reported undelivered since `since_ms`, newest first; the newest thousand are stored. Raises Unavailable."""
    with reaching("look for undelivered replies"):
        found = newest(redis, "undelivered", since_ms=since_ms, most=MOST)
    return tuple(_undelivered(member, at) for member, at in found)


def failing(redis: Redis) -> dict[str, Failing]:
    """The locations with undelivered replies within the last hour. Raises Unavailable."""
    with reaching("count undelivered replies"):
        now = now_ms(redis)
    counts = Counter(one.lane.location_id for one in undelivered(redis, since_ms=now - HOUR_MS))
    return {location: Failing(count, _taken(redis, location, now)) for location, count in counts.items()}


def _taken(redis: Redis, location: str, now: int) -> int:
    span = now // SPAN_MS
    with reaching("count replies"):
        found = redis.mget([key("taken", location, str(span - ago)) for ago in range(HOUR_MS // SPAN_MS)])
    return sum(int(count) for count in found if count)


def _undelivered(member: str, at: float) -> Undelivered:
    lane, reply_id, channel = member.split(" ")
    return Undelivered(Lane.parse(lane), reply_id, channel, int(at))
