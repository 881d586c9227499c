"""Contacts that wait for a person, because the service that answers them asked for one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.model import Lane
from bridge.store.redis.connection import now_ms, reaching
from bridge.store.redis.partition_calls import newest
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from redis import Redis

MOST = 200


@dataclass(frozen=True, slots=True)
class Handover:
    """A contact that waits for a person since `at_ms`, until `until_ms` (-1: until resumed)."""

    lane: Lane
    at_ms: int
    until_ms: int


def open_handovers(redis: Redis) -> tuple[Handover, ...]:
    """The contacts to which no person has written yet, oldest first, at most the newest 200. Raises Unavailable."""
    with reaching("look for handovers"):
        found = [lane for lane, _ in newest(redis, "handovers", since_ms=now_ms(redis), most=MOST)]
        pipe = redis.pipeline(transaction=False)
        for one in found:
            pipe.hmget(key("standing", one), ["handover_at", "handover_until"])
        standings = pipe.execute()
    known = [
        Handover(Lane.parse(one), int(at), int(until)) for one, (at, until) in zip(found, standings, strict=True) if at and until
    ]
    return tuple(sorted(known, key=lambda one: (one.at_ms, one.until_ms if one.until_ms > 0 else math.inf)))
