"""The schedule and the progress of sweeps for missed webhooks, and the heartbeat of receivers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.model import LocationId
from bridge.store.redis.connection import reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import beside, call_each, gather_reached, members_reached
from bridge.store.redis.partitions import HOME, PREFIXES, prefix_of
from bridge.store.redis.retention import REMEMBERED_MS
from bridge.store.redis.write_counts import WriteCount

if TYPE_CHECKING:
    from redis import Redis

LEASE_SECONDS = 90.0
# A receiver sends a heartbeat every few seconds; after this time without one, webhooks may have been missed.
BELIEVED_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of a location's sweeps; times are ms, 0 for none.

    Everything before `since_ms` was checked. `cursor_ms` is where an unfinished sweep continues, towards older messages, and
    `begun_ms` is when it began.
    """

    since_ms: int = 0
    cursor_ms: int = 0
    begun_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSweep:
    """A location to be swept now; `lost_writes_at_ms` is when the state is known to have lost writes (0: never)."""

    location_id: LocationId
    now_ms: int
    progress: Progress
    lost_writes_at_ms: int = 0


class Sweeps:
    """The schedule of sweeps. Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._claim = redis.register_script(script("sweep_claim"))
        self._done = redis.register_script(script("sweep_done"))
        self._beat = redis.register_script(script("heartbeat"))
        self._beats = {prefix: WriteCount() for prefix in PREFIXES}

    def claim(self) -> DueSweep | float:
        """Claim a due location, for a limited time; if none is due, return the seconds until the next (inf: never)."""
        return self._take("")

    def of(self, location_id: LocationId) -> DueSweep:
        """The progress of a location's sweeps, whether one is due or not."""
        due = self._take(location_id)
        return due if isinstance(due, DueSweep) else DueSweep(location_id=location_id, now_ms=0, progress=Progress())

    def done(self, location_id: LocationId, progress: Progress, *, seconds: float | None, missed: bool | None = None) -> None:
        """Record the end of a sweep; the next is after `seconds` (None: never). `missed`: it found messages without a webhook."""
        following = -1 if seconds is None else round(seconds * 1000)
        found = "" if missed is None else int(missed)
        with reaching(f"note a sweep of {location_id}"):
            moments = (progress.since_ms, progress.cursor_ms, progress.begun_ms)
            self._done(keys=[prefix_of(location_id)], args=[location_id, following, *moments, found, REMEMBERED_MS])

    def beat(self) -> bool:
        """Record that a receiver accepts webhooks. Returns True if none did for a while: then every location is swept at once."""
        with reaching("record a receiver's heartbeat"):
            found = call_each(self._beat, self._heartbeat_args, at_home=True)
            for prefixes, _ in found.calls:
                self._beats[prefixes[0]].answered()
            return any(found.whole())

    def _heartbeat_args(self, prefix: str) -> tuple[int | str, ...]:
        return (round(BELIEVED_SECONDS * 1000), *self._beats[prefix].next())

    def _take(self, location_id: str) -> DueSweep | float:
        with reaching("look for locations to sweep"):
            asked = (prefix_of(location_id),) if location_id else beside(self._redis, self._longest_due())
            found = self._claim(keys=asked, args=[round(LEASE_SECONDS * 1000), location_id])
        if len(found) == 1:
            return math.inf if found[0] < 0 else found[0] / 1000
        now, location, since, cursor, begun, lost = found
        progress = Progress(since_ms=since, cursor_ms=cursor, begun_ms=begun)
        return DueSweep(location_id=LocationId(text(location)), now_ms=now, progress=progress, lost_writes_at_ms=lost)

    def _longest_due(self) -> str:
        """In a cluster, the partition with the location that has been due longest."""
        if len(beside(self._redis, HOME)) > 1:
            return HOME
        heads = gather_reached(self._redis, "ZRANGE", "sweeps", 0, 0, "WITHSCORES")
        due = {prefix: float(head[1]) for prefix, head in heads.items() if head}
        return min(due, key=lambda prefix: due[prefix], default=HOME)


def missed_locations(redis: Redis) -> tuple[LocationId, ...]:
    """Locations whose newest sweep found messages without a webhook, although they get webhooks."""
    with reaching("look for missed webhooks"):
        return tuple(LocationId(text(one)) for one in sorted(members_reached(redis, "missed")))
