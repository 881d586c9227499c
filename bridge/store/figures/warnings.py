"""Warning signs: refused webhooks, and conversations with the reply limit reached, an unknown message type or a spoken stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.redis.cluster_layout import NodeMissing
from bridge.store.redis.connection import now_ms, reaching
from bridge.store.redis.partition_calls import newest
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis

MINUTE_MS = 60_000
REFUSED_MINUTES = 10
CAPPED_MINUTES = 60
UNTYPED_MINUTES = SPOKEN_MINUTES = 24 * 60


def refused_webhooks(redis: Redis) -> int:
    """The number of webhooks with a wrong signature or secret in the last ten minutes. Raises Unavailable."""
    with reaching("count refused webhooks"):
        minute = now_ms(redis) // MINUTE_MS
        try:
            found = redis.mget([key("turned_away", str(minute - ago)) for ago in range(REFUSED_MINUTES)])
        except NodeMissing:
            # The node of the home partition is missing, which is reported as refused writes.
            return 0
    return sum(int(count) for count in found if count)


def capped_lanes(redis: Redis) -> tuple[str, ...]:
    """The lanes that reached `max_replies_per_day` within the last hour, newest first, at most a hundred. Raises Unavailable."""
    return _newest(redis, "capped", CAPPED_MINUTES)


def untyped_lanes(redis: Redis) -> tuple[str, ...]:
    """The lanes in which a message of an unknown type was skipped within the last day, newest first, at most a hundred.

    Raises Unavailable.
    """
    return _newest(redis, "untyped", UNTYPED_MINUTES)


def spoken_stops(redis: Redis) -> tuple[str, ...]:
    """The lanes with an opt-out by voice note within the last day, still in force, in the same order. Raises Unavailable."""
    return _newest(redis, "spoken_stops", SPOKEN_MINUTES)


def other_bot_lanes(redis: Redis) -> tuple[str, ...]:
    """The lanes in which GHL's own bot answered first within the last day, in the same order. Raises Unavailable."""
    return _newest(redis, "other_bot", UNTYPED_MINUTES)


def _newest(redis: Redis, name: str, minutes: int) -> tuple[str, ...]:
    with reaching("look for conversations that need attention"):
        since = now_ms(redis) - minutes * MINUTE_MS
        return tuple(lane for lane, _ in newest(redis, name, since_ms=since, most=100))
