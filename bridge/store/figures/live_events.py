"""The newest events of all lanes, for the console: read from the timelines of the lanes with the newest events."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from redis import ResponseError

from bridge.model import Lane
from bridge.store.lanes.phrases import read_event
from bridge.store.redis.connection import reaching
from bridge.store.redis.partition_calls import newest
from bridge.store.redis.partitions import key, keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.store.redis.connection import Redis

NOTHING = "0-0"
# Events of one lane: of a conversation with more new events only the newest are shown.
MOST_OF_A_LANE = 50
# Longer than a page waits before it looks again.
WATCHED_MS = 30_000


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One event: its id, time (ms), lane, step, and details (ids, counts, reasons; never text)."""

    id: str
    at_ms: int
    lane: Lane
    step: str
    details: dict[str, Any]


class LiveEvents:
    """Reads events. Raises Unavailable if Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def _watch(self) -> None:
        names = keys("watched")
        if self._redis.pttl(names[0]) < WATCHED_MS / 2:
            pipe = self._redis.pipeline(transaction=False)
            for name in reversed(names):
                pipe.set(name, 1, px=WATCHED_MS)
            with suppress(ResponseError):  # a Redis that accepts no write has no new event
                pipe.execute()

    def newest(self, most: int) -> tuple[LiveEvent, ...]:
        """The newest events, newest first."""
        with reaching("read the newest events"):
            lanes = [lane for lane, _ in newest(self._redis, "recent", most=most)]
            pipe = self._redis.pipeline(transaction=False)
            for lane in lanes:
                pipe.lrange(key("timeline", lane), -min(most, MOST_OF_A_LANE), -1)
            timelines = pipe.execute()
        found = [event for lane, lines in zip(lanes, timelines, strict=True) for event in _events(lane, lines)]
        return tuple(sorted(found, key=lambda event: -event.at_ms)[:most])

    def last(self) -> str:
        """A mark of the newest event, which changes with every event. While it is read, events within turns are included."""
        with reaching("look for a new event"):
            self._watch()
            found = newest(self._redis, "recent", most=1)
            if not found:
                return NOTHING
            lane, at = found[0]
            # Two events may have the same millisecond.
            return f"{int(at)}-{lane}-{self._redis.llen(key('timeline', lane))}"


def _events(lane: str, lines: Sequence[str]) -> Iterator[LiveEvent]:
    """The events of one lane, newest first; events of the same millisecond are numbered."""
    numbers: Counter[str] = Counter()
    events = []
    for line in lines:
        at, _, document = line.partition(" ")
        details = read_event(document)
        numbers[at] += 1
        events.append(LiveEvent(f"{at}-{lane}-{numbers[at]}", int(at), Lane.parse(lane), details.pop("step"), details))
    return reversed(events)
