"""What the operator is told of: once when it begins, once when it is over, whichever worker sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from bridge.store.circuits import open_circuits
from bridge.store.connection import key, reaching, text
from bridge.store.gauges import measure
from bridge.store.lua import script
from bridge.store.sweeps import missed_locations
from bridge.store.warnings import capped_lanes, refused_webhooks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.store.circuits import Down
    from bridge.store.connection import Redis


@dataclass(frozen=True, slots=True)
class Troubles:
    """What is wrong now.

    Locations on hold (id, side that refused), open dead letters, seconds the oldest lane is overdue, webhooks turned away in the
    last ten minutes, lanes that reached their cap on replies in the last hour, providers that are down by their circuits,
    locations whose newest sweep found what no webhook brought.
    """

    holds: Mapping[str, str]
    dead_letters: int
    oldest_overdue_seconds: float
    refused_webhooks: int = 0
    capped: tuple[str, ...] = ()
    down: Mapping[str, Down] = field(default_factory=dict)
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to be told: as it is stored, and its fields (`cause`, `text`, `state`, `at`)."""

    stored: str
    document: dict[str, Any]


class Alerts:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._review = redis.register_script(script("alerts"))

    def look(self) -> Troubles:
        """Look at the state once."""
        with reaching("look for troubles"):
            holds = [text(one) for one in self._redis.smembers(key("holds"))]
            why = [self._redis.hget(key("location", one), "hold_why") for one in holds]
        gauges = measure(self._redis)
        sides = (text(one) for one in why)
        return Troubles(
            dict(zip(holds, sides, strict=True)),
            gauges.dead_letters,
            gauges.oldest_overdue_seconds,
            refused_webhooks=refused_webhooks(self._redis),
            capped=capped_lanes(self._redis),
            down=open_circuits(self._redis),
            missed=missed_locations(self._redis),
        )

    def review(self, causes: Mapping[str, str], *, every: float) -> bool:
        """Note causes (name, text) that begin or end; False when another worker did so within `every` seconds."""
        pairs = [part for pair in causes.items() for part in pair]
        with reaching("review the alerts"):
            return bool(self._review(args=[round(every * 1000), *pairs]))

    def next(self) -> Alert | None:
        """The oldest alert that is not delivered yet."""
        with reaching("read the next alert"):
            stored = self._redis.lindex(key("alerts", "outbox"), 0)
        return Alert(text(stored), orjson.loads(stored)) if stored else None

    def delivered(self, alert: Alert) -> None:
        """The alert has reached its receiver. Another worker may have delivered it too: the next one stays."""
        with reaching("note an alert as delivered"):
            self._redis.lrem(key("alerts", "outbox"), 1, alert.stored)
