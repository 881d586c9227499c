"""Counters of all processes: scripts count outcomes as they write them, processes add theirs in batches, once a second.

The busiest scripts only append one entry per call to a list. A batch every five seconds, or a reader of the counts, adds the
entries to the totals.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from redis import ResponseError

from bridge.errors import Unavailable
from bridge.store.redis.connection import reaching, rows, text
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import call_at_home, call_each, members_reached
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bridge.metrics import Tally
    from bridge.store.redis.connection import Redis


def summed(some: Iterable[Mapping[str, str]]) -> dict[str, int]:
    """The sums of numbers by their names."""
    sums: dict[str, int] = {}
    for numbers in some:
        for name, number in numbers.items():
            sums[name] = sums.get(name, 0) + int(number)
    return sums


class Fold:
    """Adds the counts of scripts to totals and charts before these are read, unless Redis accepts no write."""

    def __init__(self, redis: Redis) -> None:
        self._fold = redis.register_script(script("fold"))

    def __call__(self) -> None:
        """Raises what the client raises, unless Redis refuses to write."""
        with suppress(ResponseError):
            call_each(self._fold)


class Counts:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._tally = redis.register_script(script("tally"))
        self._sums = redis.register_script(script("sums"))
        self._fold = Fold(redis)
        # The totals that were read last, by the partition's prefix.
        self._totals: dict[tuple[str, ...], dict[str, str]] = {}

    def add(self, tally: Tally) -> None:
        """Write a process' counts; if that fails, they stay in the tally."""
        counts = tally.take()
        if not counts:
            return
        try:
            with reaching("count"):
                call_at_home(self._tally, [uuid4().hex, *(part for pair in counts.items() for part in pair)])
        except Unavailable:
            tally.put_back(counts)
            raise

    def totals(self) -> dict[str, int]:
        """All counts since this Redis was created, by field (see `bridge.metrics`).

        If a node of a cluster is missing, its last known counts are used: a falling total would look like a restart. Raises
        Unavailable if it was never read.
        """
        with reaching("read the counts"):
            self._fold()
            found = call_each(self._sums, ["totals"])
            self._totals.update((prefixes, rows(totals)) for prefixes, (totals,) in found.calls)
            for prefix, reason in found.missing.items():
                if (prefix,) not in self._totals:
                    raise reason
        return summed(self._totals.values())

    def locations(self) -> list[str]:
        """The locations that have counts, in order; without those of nodes that are missing."""
        with reaching("list the locations"):
            return sorted(members_reached(self._redis, "locations"))

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
