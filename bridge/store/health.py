"""Is the state there, is it durable, who works on it, and does anything wait too long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis import ResponseError

from bridge.store.connection import key, now_ms, reaching, text

if TYPE_CHECKING:
    from redis import Redis


@dataclass(frozen=True, slots=True)
class Health:
    """`missing_durability` names what a 202 lacks to be kept; empty when the append-only file is on and synced always."""

    workers: int
    waiting_lanes: int
    oldest_overdue_seconds: float
    missing_durability: tuple[str, ...]


WANTED = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


def check(redis: Redis) -> Health:
    """Look at the state once. Raises Unavailable when Redis can't be reached."""
    with reaching("tell its health"):
        now = now_ms(redis)
        workers = redis.zcount(key("workers"), now, "+inf")
        waiting, overdue = backlog(redis, now)
    return Health(workers, waiting, overdue, _missing_durability(redis))


def backlog(redis: Redis, now: int) -> tuple[int, float]:
    """How many lanes are scheduled, and for how many seconds the oldest of them is overdue."""
    pipe = redis.pipeline(transaction=False)
    for location in redis.zrange(key("due"), 0, -1):
        # A location's own score is its place in the queue; how long its oldest lane waits only that lane tells.
        pipe.zcard(key("due", text(location)))
        pipe.zrange(key("due", text(location)), 0, 0, withscores=True)
    found = pipe.execute()
    oldest = min((float(lanes[0][1]) for lanes in found[1::2] if lanes), default=now)
    return sum(found[::2]), max(0.0, (now - oldest) / 1000)


def _missing_durability(redis: Redis) -> tuple[str, ...]:
    """Hosted Redis often forbids CONFIG; what can't be read is reported as not known rather than as good."""
    try:
        found = {name: redis.config_get(name).get(name) for name in WANTED}
    except ResponseError:
        return ("not known: this Redis does not allow CONFIG GET",)
    return tuple(f"{name} {wanted} (is {found[name]})" for name, wanted in WANTED.items() if found[name] != wanted)
