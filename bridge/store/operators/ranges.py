"""Reads the sorted sets of many locations as one, in blocks, merged by score and name: a page reads little more than it shows."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.store.redis.connection import key, scored

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.store.redis.connection import Redis

# The size of a location's first block, and of further ones.
FIRST, BLOCK = 16, 500
END_MS = 1 << 53

Place = tuple[int, str]


@dataclass(slots=True)
class _Location:
    """The position of a location's next block: a score, and the number of entries with this score that were read."""

    id: str
    score: int
    skip: int = 0
    rows: list[Place] = field(default_factory=list)
    over: bool = False


class Ranges:
    """The sorted sets `NAME:LOCATION` of some locations; their members are contacts."""

    def __init__(self, redis: Redis, name: str, location_ids: Sequence[str], *, oldest_first: bool) -> None:
        self._redis = redis
        self._name = name
        self._ids = location_ids
        self._oldest_first = oldest_first

    def after(self, place: Place | None, *, since_ms: int = 0, before_ms: int = END_MS) -> Iterator[Place]:
        """Scores (ms) and lanes in order, after a position if given, within a time span. Raises the client's errors."""
        low, high = since_ms, before_ms - 1
        if place:
            low, high = (max(low, place[0]), high) if self._oldest_first else (low, min(high, place[0]))
        start, end = (low, high) if self._oldest_first else (high, low)
        locations = [_Location(id_, start) for id_ in self._ids]
        self._fetch(locations, end, min(BLOCK, max(FIRST, 2 * BLOCK // max(1, len(locations)))))
        merged = heapq.merge(*(self._walk(one, end) for one in locations), reverse=not self._oldest_first)
        for one in merged:
            if place is None or (one > place if self._oldest_first else one < place):
                yield one

    def _walk(self, location: _Location, end: int) -> Iterator[Place]:
        while location.rows:
            yield from location.rows
            location.rows = []
            if not location.over:
                self._fetch([location], end, BLOCK)

    def _fetch(self, locations: Sequence[_Location], end: int, count: int) -> None:
        pipe = self._redis.pipeline(transaction=False)
        for one in locations:
            name = key(self._name, one.id)
            more = {"byscore": True, "offset": one.skip, "num": count, "withscores": True}
            pipe.zrange(name, one.score, end, desc=not self._oldest_first, **more)  # type: ignore[arg-type]
        for one, found in zip(locations, pipe.execute(), strict=True):
            rows = [(int(score), f"{one.id}:{contact}") for contact, score in scored(found)]
            one.rows, one.over = rows, len(rows) < count
            if rows:
                last = rows[-1][0]
                same = sum(score == last for score, _ in rows)
                one.skip = one.skip + same if last == one.score else same
                one.score = last
