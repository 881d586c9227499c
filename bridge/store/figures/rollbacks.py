"""Whether the state has lost writes, and which locations no sweep looks after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.store.redis.connection import key, reaching, text

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis

SHOWN_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class KnownRollback:
    """The state went back at `at_ms`; `unswept` are locations with `reconcile_minutes = 0`, where no sweep finds messages."""

    at_ms: int
    unswept: tuple[str, ...] = ()


def last_rollback(redis: Redis, now_ms: int) -> KnownRollback | None:
    """The rollback of the last day in which writes were lost for certain. Raises Unavailable."""
    with reaching("look for lost writes"):
        at, certain = redis.hmget(key("rollback"), ["at", "certain_at"])
        if not at or not certain or now_ms - int(certain) > SHOWN_MS:
            return None
        swept = {text(one) for one in redis.zrange(key("sweeps"), 0, -1)}
        unswept = {text(one) for one in redis.smembers(key("locations"))} - swept
    return KnownRollback(int(at), tuple(sorted(unswept)))
