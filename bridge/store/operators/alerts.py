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
    """A current problem: its id, the alert's text, how long it must last before the alert (s), and whether it is critical."""

    id: str
    text: str
    after_seconds: float = 0.0
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert to deliver: the stored JSON, and its fields (`cause`, `text`, `state`, `at`)."""

    stored: str
    document: dict[str, Any]


class Outbox:
    """The undelivered items, oldest first, for one process at a time. Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis, name: str, *, lease: str) -> None:
        self._redis = redis
        self._name = name
        self._lease = lease
        self._process = uuid4().hex

    def may_deliver(self, seconds: float) -> bool:
        """Acquire or extend the lease of the delivery for `seconds`. Returns False if another process has it."""
        held = round(seconds * 1000)
        with reaching("take the delivery of alerts"):
            is_ours = self._redis.set(self._lease, self._process, nx=True, px=held)
            if not is_ours and text(self._redis.get(self._lease) or b"") == self._process:
                is_ours = self._redis.set(self._lease, self._process, xx=True, px=held)
        return bool(is_ours)

    def next(self) -> Alert | None:
        """The oldest alert that is not delivered yet."""
        return next(iter(self.waiting(most=1)), None)

    def waiting(self, *, most: int) -> tuple[Alert, ...]:
        """The oldest alerts that are not delivered yet."""
        with reaching("read the next alerts"):
            stored = self._redis.lrange(self._name, 0, most - 1)
        return tuple(Alert(text(one), orjson.loads(one)) for one in stored)

    def delivered(self, *alerts: Alert) -> None:
        """Record that alerts were delivered."""
        with reaching("note an alert as delivered"):
            pipe = self._redis.pipeline(transaction=True)
            for alert in alerts:
                pipe.lrem(self._name, 1, alert.stored)
            pipe.execute()


class Alerts(Outbox):
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis, key("alerts", "outbox"), lease=key("alerts", "delivering"))
        self._review = redis.register_script(script("alerts"))

    def review(self, causes: Iterable[Cause], *, every: float, quiet: bool = False) -> bool:
        """Record causes that begin or end. Returns False if another process did so within `every` seconds.

        `quiet`: only critical causes begin, and none ends; the rest is recorded by the first review afterwards.
        """
        args = [part for one in causes for part in (one.id, one.text, round(one.after_seconds * 1000), int(one.critical))]
        with reaching("review the alerts"):
            return bool(self._review(keys=[HOME], args=[round(every * 1000), int(quiet), *args]))
