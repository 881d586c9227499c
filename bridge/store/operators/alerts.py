"""Alerts: each is sent once when a problem begins and once when it ends, by any process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import orjson

from bridge.store.redis.connection import reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import HOME, key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.store.redis.connection import Redis


class Cause(NamedTuple):
    """A current problem: its id, the alert's text, and how long it must last before the alert (s)."""

    id: str
    text: str
    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert to deliver: the stored JSON, and its fields (`cause`, `text`, `state`, `at`)."""

    stored: str
    document: dict[str, Any]


class Alerts:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._review = redis.register_script(script("alerts"))
        self._process = uuid4().hex

    def review(self, causes: Iterable[Cause], *, every: float) -> bool:
        """Record causes that begin or end. Returns False if another process did so within `every` seconds."""
        told = [part for cause in causes for part in (cause.id, cause.text, round(cause.after_seconds * 1000))]
        with reaching("review the alerts"):
            return bool(self._review(keys=[HOME], args=[round(every * 1000), *told]))

    def may_deliver(self, seconds: float) -> bool:
        """Acquire or extend the lease of the delivery for `seconds`. Returns False if another process has it."""
        name, held = key("alerts", "delivering"), round(seconds * 1000)
        with reaching("take the delivery of alerts"):
            taken = self._redis.set(name, self._process, nx=True, px=held)
            if not taken and text(self._redis.get(name) or b"") == self._process:
                taken = self._redis.set(name, self._process, xx=True, px=held)
        return bool(taken)

    def next(self) -> Alert | None:
        """The oldest alert that is not delivered yet."""
        with reaching("read the next alert"):
            stored = self._redis.lindex(key("alerts", "outbox"), 0)
        return Alert(text(stored), orjson.loads(stored)) if stored else None

    def delivered(self, alert: Alert) -> None:
        """Record that the alert was delivered."""
        with reaching("note an alert as delivered"):
            self._redis.lrem(key("alerts", "outbox"), 1, alert.stored)
