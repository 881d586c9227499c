"""Daily counts of each location, from which reports are made: stored for 400 days, one document per day.

Scripts write one short entry for each event (`parts/reports.lua`), the busiest ones in the same list as their counts. Entries are
added to their days in batches, because a day depends on its location's time zone, and one write for many entries is cheap. That
is done when there are many, when an hour is over, and before a report is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import orjson

from bridge.store.figures.counts import Fold
from bridge.store.redis.connection import now_ms, reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import gather_reached
from bridge.store.redis.partitions import key, key_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.model import LocationId
    from bridge.policy.report_entries import Counts
    from bridge.store.redis.connection import Redis

DAYS = 400
KEPT_MS = DAYS * 24 * 3600 * 1000
# The number of models and providers in a day of a location.
MOST_NAMES = 5
# Until then an entry takes about 50 bytes; a script that adds this many takes a few milliseconds.
AT_ONCE = 2_000
EVERY_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Reported:
    """The oldest entries of a partition that are not in daily counts yet, the number of earlier ones, and its prefix."""

    before: int
    entries: tuple[str, ...]
    at: str


class DailyCounts:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._left = Fold(redis)
        self._fold = redis.register_script(script("fold_report"))

    def reported(self) -> Reported:
        """Some entries that are not in daily counts yet, of the first partition that has any."""
        with reaching("read the entries for reports"):
            self._left()
            waiting = gather_reached(self._redis, "LLEN", "reported")
            at = next((prefix for prefix, count in waiting.items() if count), next(iter(waiting)))
            pipe = self._redis.pipeline(transaction=True)
            pipe.hget(key_at(at, "folded"), "count")
            pipe.lrange(key_at(at, "reported"), 0, AT_ONCE - 1)
            before, entries = pipe.execute()
        return Reported(int(before or 0), tuple(map(text, entries)), at)

    def is_due(self) -> bool:
        """Whether there are many entries, or some in a partition whose last ones were added an hour ago."""
        with reaching("look for entries for reports"):
            counts = gather_reached(self._redis, "LLEN", "reported")
            if sum(counts.values()) >= AT_ONCE or not any(counts.values()):
                return any(counts.values())
            folded = gather_reached(self._redis, "HGET", "folded", "at")
            before = now_ms(self._redis) - EVERY_MS
        return any(counts.get(prefix) and int(at or 0) <= before for prefix, at in folded.items())

    def add(self, reported: Reported, days: Mapping[tuple[LocationId, str], Counts]) -> bool:
        """Add entries to daily counts; False, and nothing is added, if another process did so meanwhile."""
        flat = [part for (location, day), counts in days.items() for part in (location, day, orjson.dumps(counts))]
        with reaching("add to the daily counts"):
            numbers = (reported.before, len(reported.entries), KEPT_MS, DAYS, MOST_NAMES)
            return bool(self._fold(keys=[reported.at], args=[*numbers, *flat]))

    def read(self, location_ids: Sequence[LocationId], days: Sequence[str]) -> dict[LocationId, dict[str, Counts]]:
        """The existing counts of these days, by location."""
        with reaching("read the daily counts"):
            pipe = self._redis.pipeline(transaction=False)
            for one in location_ids:
                pipe.hmget(key("report", one), list(days))
            found = cast("list[list[Any]]", pipe.execute())
        return {
            one: {day: orjson.loads(stored) for day, stored in zip(days, row, strict=True) if stored}
            for one, row in zip(location_ids, found, strict=True)
        }
