"""Counters of all processes: scripts count outcomes as they write them, processes add theirs in batches, once a second.

The counts of the busiest scripts are one entry of a list per call. The next batch, or a reader of the counts, adds them to the
totals.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from redis import ResponseError

from bridge.errors import Unavailable
from bridge.store.redis.connection import reaching, rows, text
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import HOME, PREFIXES, key, members

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.metrics import Tally
    from bridge.store.redis.connection import Redis


class Fold:
    """Adds the counts of scripts to totals and charts before these are read, unless Redis accepts no write."""

    def __init__(self, redis: Redis) -> None:
        self._fold = redis.register_script(script("fold"))

    def __call__(self) -> None:
        """Raises what the client raises, unless Redis refuses to write."""
        with suppress(ResponseError):
            self._fold(keys=list(PREFIXES), args=[])


class Counts:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._tally = redis.register_script(script("tally"))
        self._sums = redis.register_script(script("sums"))
        self._fold = Fold(redis)

    def add(self, tally: Tally) -> None:
        """Write a process' counts; if that fails, they stay in the tally."""
        counts = tally.take()
        if not counts:
            return
        try:
            with reaching("count"):
                self._tally(keys=[HOME, *PREFIXES], args=[uuid4().hex, *(part for pair in counts.items() for part in pair)])
        except Unavailable:
            tally.put_back(counts)
            raise

    def totals(self) -> dict[str, int]:
        """All counts since this Redis was created, by field (see `bridge.metrics`)."""
        with reaching("read the counts"):
            self._fold()
            (totals,) = self._sums(keys=list(PREFIXES), args=["totals"])
        return {field: int(count) for field, count in rows(totals).items()}

    def locations(self) -> list[str]:
        """The locations that have counts, in order."""
        with reaching("list the locations"):
            return sorted(members(self._redis, "locations"))

    def of(self, ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """The numbers of these locations' messages by status, if there was an outcome within the retention time.

        `answered_at` (ms) is the time of the last answer, `failing` the number of messages that failed for good since.
        """
        with reaching("read the locations' counts"):
            pipe = self._redis.pipeline(transaction=False)
            for one in ids:
                pipe.hgetall(key("tally", one))
            found = pipe.execute()
        return {one: {text(name): int(count) for name, count in tally.items()} for one, tally in zip(ids, found, strict=True)}
