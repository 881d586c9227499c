"""Is the state there, is it durable, who works on it, and does anything wait too long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis import ResponseError

from bridge.store.connection import reaching
from bridge.store.gauges import measure

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
    gauges = measure(redis)
    return Health(gauges.workers, gauges.lanes, gauges.oldest_overdue_seconds, missing_durability(redis))


def missing_durability(redis: Redis) -> tuple[str, ...]:
    """What a 202 lacks to be kept. Raises Unavailable when Redis can't be reached."""
    with reaching("tell its health"):
        return _missing_durability(redis)


def _missing_durability(redis: Redis) -> tuple[str, ...]:
    """Hosted Redis often forbids CONFIG; what can't be read is reported as not known rather than as good."""
    try:
        found = {name: redis.config_get(name).get(name) for name in WANTED}
    except ResponseError:
        return ("not known: this Redis does not allow CONFIG GET",)
    return tuple(f"{name} {wanted} (is {found[name]})" for name, wanted in WANTED.items() if found[name] != wanted)
