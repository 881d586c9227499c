"""The gauges of one location."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.store.redis.connection import now_ms, reaching, scored, text
from bridge.store.redis.partitions import key, key_at, prefix_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.model import LocationId
    from bridge.store.figures.gauges import Gauges
    from bridge.store.redis.connection import Redis


def of_location(redis: Redis, everywhere: Gauges, location_id: LocationId, *, dead_letters: int) -> Gauges:
    """The gauges of all locations, with the lanes and the dead letters of one location; workers and slots are unchanged.

    Raises Unavailable.
    """
    with reaching(f"measure {location_id}"):
        now = now_ms(redis)
        pipe = redis.pipeline(transaction=False)
        pipe.zcard(key("due", location_id))
        pipe.zrange(key("due", location_id), 0, 0, withscores=True)
        pipe.sismember(key_at(prefix_of(location_id), "holds"), location_id)
        pipe.zrangebyscore(key_at(prefix_of(location_id), "inflight"), now, "+inf")
        pipe.smembers(key_at(prefix_of(location_id), "retrying"))
        lanes, first, is_held, in_flight, retrying = pipe.execute()
    due = next((score for _, score in scored(first)), now)
    return replace(
        everywhere,
        lanes=lanes,
        held=lanes if is_held else 0,
        in_flight=_count(in_flight, location_id),
        retrying=_count(retrying, location_id),
        overdue_ms=0 if is_held else max(0, now - int(due)),
        unheard_ms=0,
        unopened_ms=0,
        dead_letters=dead_letters,
        locations=1,
        on_hold=int(is_held),
    )


def _count(lanes: Iterable[str | bytes], location_id: LocationId) -> int:
    return sum(text(lane).startswith(f"{location_id}:") for lane in lanes)
