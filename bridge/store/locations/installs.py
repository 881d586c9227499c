"""Installs of the app: noted by events and by the callback, each with its own time, in whatever order they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from bridge.model import LocationId
from bridge.store.lanes.inbox import REMEMBERED_MS
from bridge.store.redis.connection import key, reaching, text
from bridge.store.redis.lua import script

if TYPE_CHECKING:
    from redis import Redis

    from bridge.model import AppChange


class Installs:
    """The installs. Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis, *, retention_ms: int) -> None:
        self._redis = redis
        self._install = redis.register_script(script("install"))
        self._uninstall = redis.register_script(script("uninstall"))
        self._come_back = redis.register_script(script("reactivate"))
        self._retention_ms = retention_ms

    def check(self) -> None:
        """Raise Unavailable if nothing could be kept now."""
        with reaching("answer"):
            self._redis.ping()

    def note(self, change: AppChange) -> None:
        """Note what an event tells. An older one than what is known changes nothing."""
        if not change.installed:
            with reaching(f"note the end of the install of {change.location_id or change.company_id}"):
                self._uninstall(args=[change.location_id, change.company_id, change.at_ms, self._retention_ms, REMEMBERED_MS])
        elif change.location_id:
            self.add(change.location_id, change.company_id, at_ms=change.at_ms)

    def add(self, location_id: LocationId, company_id: str, *, at_ms: int = 0) -> None:
        """Note that the app is installed in a location; 0 means now. A stop by its end is over, and a hold too."""
        event = orjson.dumps({"step": "replayed", "why": "the app was installed again"})
        with reaching(f"note the install in {location_id}"):
            self._install(args=[location_id, company_id, at_ms, event, self._retention_ms])

    def resume(self, location_id: LocationId) -> bool:
        """Let a location go on whose app was taken away, from now on; False when it was not."""
        with reaching(f"let {location_id} go on"):
            return bool(self._come_back(args=[location_id]))

    def all(self) -> frozenset[LocationId]:
        """Where the app is installed."""
        with reaching("list the installs"):
            return frozenset(LocationId(text(one)) for one in self._redis.smembers(key("installs")))

    def unconfigured(self) -> tuple[LocationId, ...]:
        """Where the app is installed and no settings were applied, in the order of ids."""
        with reaching("list the unconfigured locations"):
            return tuple(LocationId(text(one)) for one in sorted(self._redis.sdiff([key("installs"), key("locations")])))
