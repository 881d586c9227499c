"""Outcomes per minute and per hour, for the charts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bridge.store.figures.counts import Fold
from bridge.store.redis.connection import key, now_ms, reaching, text

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
    """The newest buckets, oldest first; the last one is not over yet. Raises Unavailable if Redis can't be reached."""
    with reaching("read a chart"):
        Fold(redis)()
        newest = now_ms(redis) // MS[span]
        numbers = range(newest - most + 1, newest + 1)
        pipe = redis.pipeline(transaction=False)
        for number in numbers:
            pipe.hgetall(key("chart", span, str(number)))
        found = pipe.execute()
    counts = ({text(name): int(count) for name, count in bucket.items()} for bucket in found)
    return tuple(Bucket(number * MS[span], bucket) for number, bucket in zip(numbers, counts, strict=True))
