"""The audit log: who changed what, and when. Kept for the retention time, with a maximum number of entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson

from bridge.store.redis.connection import now_ms, reaching, scored
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.store.redis.connection import Redis

MOST = 10_000
MOST_IDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change: its time (ms), interface (cli, token, console), operation, ids (the first hundred), and outcome."""

    id: str
    at_ms: int
    who: str
    what: str
    ids: tuple[str, ...]
    outcome: str


class Audit:
    """The changes that operators made. Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis, *, retention_ms: int) -> None:
        self._redis = redis
        self._retention_ms = retention_ms

    def note(self, *, who: str, what: str, ids: Sequence[str], outcome: str) -> None:
        """Record one change."""
        entry = {"id": uuid4().hex, "who": who, "what": what, "ids": ids[:MOST_IDS], "outcome": outcome}
        with reaching("note a change"):
            now = now_ms(self._redis)
            pipe = self._redis.pipeline(transaction=True)
            pipe.zadd(key("audit"), {orjson.dumps(entry): now})
            pipe.zremrangebyscore(key("audit"), "-inf", now - self._retention_ms)
            pipe.zremrangebyrank(key("audit"), 0, -MOST - 1)
            pipe.pexpire(key("audit"), self._retention_ms)
            pipe.execute()

    def page(self, *, skip: int, most: int) -> tuple[Entry, ...]:
        """The newest changes first, without the `skip` newest."""
        with reaching("read the changes"):
            found = self._redis.zrange(key("audit"), skip, skip + most - 1, desc=True, withscores=True)
        return tuple(_entry(stored, int(score)) for stored, score in scored(found))


def _entry(stored: str, at_ms: int) -> Entry:
    fields = orjson.loads(stored)
    fields["ids"] = tuple(fields["ids"])
    return Entry(at_ms=at_ms, **fields)
