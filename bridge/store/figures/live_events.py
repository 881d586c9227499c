"""The newest events of all lanes, for those who watch: read from the timelines of the lanes of which was told last."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from bridge.model import Lane
from bridge.store.redis.connection import key, reaching, scored, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.store.redis.connection import Redis

NOTHING = "0-0"
# Of one lane: a conversation that has more at once shows its newest.
MOST_OF_A_LANE = 50


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One event: its id, when (ms), whose, what, and its details (ids, counts, reasons; never text)."""

    id: str
    at_ms: int
    lane: Lane
    step: str
    details: dict[str, Any]


class LiveEvents:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def newest(self, most: int) -> tuple[LiveEvent, ...]:
        """The newest events, newest first."""
        with reaching("read the newest events"):
            lanes = [text(lane) for lane in self._redis.zrevrange(key("recent"), 0, most - 1)]
            pipe = self._redis.pipeline(transaction=False)
            for lane in lanes:
                pipe.lrange(key("timeline", lane), -min(most, MOST_OF_A_LANE), -1)
            timelines = pipe.execute()
        found = [event for lane, lines in zip(lanes, timelines, strict=True) for event in _events(lane, lines)]
        return tuple(sorted(found, key=lambda event: -event.at_ms)[:most])

    def last(self) -> str:
        """What stands for the newest event: another one than before means that something happened."""
        with reaching("look for a new event"):
            newest = scored(self._redis.zrevrange(key("recent"), 0, 0, withscores=True))
            if not newest:
                return NOTHING
            lane, at = newest[0]
            # Two events may be of one millisecond.
            return f"{int(at)}-{lane}-{self._redis.llen(key('timeline', lane))}"


def _events(lane: str, lines: Sequence[str]) -> Iterator[LiveEvent]:
    """Those of one lane, newest first; several of one moment have numbers."""
    numbers: Counter[str] = Counter()
    events = []
    for line in lines:
        at, _, document = line.partition(" ")
        details = orjson.loads(document)
        numbers[at] += 1
        events.append(LiveEvent(f"{at}-{lane}-{numbers[at]}", int(at), Lane.parse(lane), details.pop("step"), details))
    return reversed(events)
