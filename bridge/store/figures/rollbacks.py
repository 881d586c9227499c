"""Whether the state has lost writes, and which locations have no sweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.store.redis.connection import reaching
from bridge.store.redis.partition_calls import gather_reached, members_reached

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis

SHOWN_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class KnownRollback:
    """The state went back at `at_ms`; `unswept` are locations with `reconcile_minutes = 0`, where no sweep finds messages."""

    at_ms: int
    unswept: tuple[str, ...] = ()


def last_rollback(redis: Redis, now_ms: int) -> KnownRollback | None:
    """The rollback within the last day in which writes were certainly lost. Raises Unavailable."""
    with reaching("look for lost writes"):
        records = gather_reached(redis, "HMGET", "rollback", "at", "certain_at").values()
        found = [(int(at), int(certain)) for at, certain in records if at and certain]
        shown = [at for at, certain in found if now_ms - certain <= SHOWN_MS]
        if not shown:
            return None
        swept = {str(one) for some in gather_reached(redis, "ZRANGE", "sweeps", 0, -1).values() for one in some}
        unswept = members_reached(redis, "locations") - swept
    return KnownRollback(max(shown), tuple(sorted(unswept)))
