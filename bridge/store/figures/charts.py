"""Outcomes per minute and per hour, for the charts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bridge.store.figures.counts import Fold, summed
from bridge.store.redis.connection import now_ms, reaching, rows
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import call_each

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.store.redis.connection import Redis

Span = Literal["minute", "hour"]

MS: dict[Span, int] = {"minute": 60_000, "hour": 3_600_000}


@dataclass(frozen=True, slots=True)
class Bucket:
    """The minute or hour from `at_ms` on: the count of each outcome (`replied`, `skipped|dnd`), and `reply_ms`, their sum."""

    at_ms: int
    counts: Mapping[str, int]


def chart(redis: Redis, span: Span, most: int) -> tuple[Bucket, ...]:
    """The newest buckets, oldest first; the last one is not over yet. The counts of missing cluster nodes are left out.

    Raises Unavailable if Redis can't be reached.
    """
    with reaching("read a chart"):
        Fold(redis)()
        newest = now_ms(redis) // MS[span]
        numbers = range(newest - most + 1, newest + 1)
        sums = redis.register_script(script("sums"))
        parts = call_each(sums, [f"chart:{span}:{number}" for number in numbers]).reached()
    counts = (summed(map(rows, buckets)) for buckets in zip(*parts, strict=True))
    return tuple(Bucket(number * MS[span], bucket) for number, bucket in zip(numbers, counts, strict=True))
