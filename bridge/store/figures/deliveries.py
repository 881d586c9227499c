"""Replies that GHL took and that did not reach their contacts, and how many GHL took beside them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from bridge.model import Lane
from bridge.store.redis.connection import key, now_ms, reaching, text

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis

HOUR_MS = 3_600_000
# As in `parts/delivery.lua`.
SPAN_MS = 600_000


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A reply that did not reach its contact: GHL's id of it, by which channel it left, and when (ms) GHL said so."""

    lane: Lane
    reply_id: str
    channel: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Failing:
    """Of a location, within an hour: how many replies were undelivered, and how many GHL took."""

    undelivered: int
    taken: int

    @property
    def share(self) -> float:
        """The part that was undelivered; of replies that GHL took earlier, more may be than were taken."""
        return self.undelivered / max(self.undelivered, self.taken, 1)


def undelivered(redis: Redis, *, since_ms: int = 0) -> tuple[Undelivered, ...]:
    """What was undelivered since then, newest first; the newest thousand are kept. Raises Unavailable."""
    with reaching("look for undelivered replies"):
        found = redis.zrevrangebyscore(key("undelivered"), "+inf", since_ms, withscores=True)
    return tuple(_undelivered(text(member), float(at)) for member, at in cast("list[tuple[str, float]]", found))


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
