"""Gauges: the current numbers of lanes, locations, workers and problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.store.limits.circuits import GHL_CIRCUITS
from bridge.store.redis.connection import reaching, rows
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import call_each

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """The numbers at one time.

    `lanes` are scheduled; they include those of locations on hold (`held`), those in progress (`in_flight`) and those whose turn
    failed and is retried (`retrying`). `overdue_ms` is how long the oldest lane has been due, `unheard_ms` how long the oldest
    lane has waited whose wake-up was published and whose turn no worker has begun, `unopened_ms` the same for turns that can't be
    decrypted or read. `slots` is how many replies the live workers can have in flight, `providers_down` counts completion
    services by their logins, `ghl_down` is 1 while GHL is down or accepts no posts. `missing` says which nodes of a
    cluster are missing, whose lanes are not counted.
    """

    lanes: int
    held: int
    in_flight: int
    retrying: int
    overdue_ms: int
    unheard_ms: int
    unopened_ms: int
    workers: int
    slots: int
    dead_letters: int
    locations: int
    on_hold: int
    providers_down: int
    ghl_down: int
    missing: tuple[str, ...] = ()

    @property
    def oldest_overdue_seconds(self) -> float:
        """How long the oldest lane has been due (s)."""
        return self.overdue_ms / 1000


# Of these the maximum counts; the other numbers are summed.
LONGEST = frozenset({"overdue_ms", "unheard_ms", "unopened_ms"})


def measure(redis: Redis) -> Gauges:
    """Read all gauges in one round trip, without nodes that are missing. Raises Unavailable when Redis can't be reached."""
    with reaching("measure the state"):
        answers = call_each(redis.register_script(script("measure")))
        found = answers.reached()
    numbers: dict[str, int] = {}
    down: set[str] = set()
    workers: set[str] = set()
    for circuits, live, *flat in found:
        # A service that is down for several partitions is one.
        down.update(circuits)
        workers.update(live)
        for name, number in rows(flat).items():
            known, value = numbers.get(name, 0), int(number)
            numbers[name] = max(known, value) if name in LONGEST else known + value
    return Gauges(
        **numbers,
        workers=len(workers),
        slots=sum(int(worker.rpartition(":")[2]) for worker in workers),
        providers_down=len(down - set(GHL_CIRCUITS)),
        ghl_down=int(not down.isdisjoint(GHL_CIRCUITS)),
        missing=tuple(dict.fromkeys(map(str, answers.missing.values()))),
    )
