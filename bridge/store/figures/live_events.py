"""The newest events of all lanes, for those who watch: a bounded stream that scripts write beside the timelines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import orjson

from bridge.model import Lane
from bridge.store.redis.connection import key, reaching

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis

NOTHING = "0-0"


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One event: its place in the stream, when (ms), whose, what, and its details (ids, counts, reasons; never text)."""

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
            found = self._redis.xrevrange(key("live"), count=most)
        return tuple(_happening(id_, fields) for id_, fields in cast("list[tuple[str, dict[str, str]]]", found))

    def last(self) -> str:
        """The place of the newest event: another one than before means that something happened."""
        with reaching("look for a new event"):
            found = cast("list[tuple[str, dict[str, str]]]", self._redis.xrevrange(key("live"), count=1))
        return found[0][0] if found else NOTHING


def _happening(id_: str, fields: dict[str, str]) -> LiveEvent:
    details = orjson.loads(fields["event"])
    return LiveEvent(id_, int(id_.partition("-")[0]), Lane.parse(fields["lane"]), details.pop("step"), details)
