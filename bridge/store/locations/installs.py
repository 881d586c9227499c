"""Installs of the app, recorded from events and from the callback with their own times, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from bridge.model import LocationId
from bridge.store.redis.connection import reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import HOME, key, keys, members, prefix_of
from bridge.store.redis.retention import REMEMBERED_MS

if TYPE_CHECKING:
    from redis import Redis

    from bridge.model import AppChange


class Installs:
    """The installs. Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis, *, retention_ms: int) -> None:
        self._redis = redis
        self._install = redis.register_script(script("install"))
        self._uninstall = redis.register_script(script("uninstall"))
        self._leave_agency = redis.register_script(script("leave_agency"))
        self._come_back = redis.register_script(script("reactivate"))
        self._retention_ms = retention_ms

    def check(self) -> None:
        """Raise Unavailable if Redis accepts no writes now."""
        with reaching("answer"):
            self._redis.ping()

    def note(self, change: AppChange) -> None:
        """Record an event. An event that is older than the stored state has no effect."""
        if not change.installed:
            with reaching(f"note the end of the install of {change.location_id or change.company_id}"):
                self._remove(change)
        elif change.location_id:
            self.add(change.location_id, change.company_id, at_ms=change.at_ms)

    def add(self, location_id: LocationId, company_id: str, *, at_ms: int = 0) -> None:
        """Record that the app is installed in a location; `at_ms` 0 means now.

        This ends the stop after an uninstall, and a hold.
        """
        event = orjson.dumps({"step": "replayed", "why": "the app was installed again"})
        with reaching(f"note the install in {location_id}"):
            # First, because GHL repeats the event if the process crashes after this.
            if company_id:
                self._redis.sadd(key("agency", company_id), location_id)
            self._own()
            self._install(keys=[prefix_of(location_id)], args=[location_id, company_id, at_ms, event, self._retention_ms])

    def resume(self, location_id: LocationId) -> bool:
        """Reactivate a location whose app was uninstalled. Returns False if it was not."""
        with reaching(f"let {location_id} go on"):
            return bool(self._come_back(keys=[prefix_of(location_id)], args=[location_id]))

    def all(self) -> frozenset[LocationId]:
        """The ids of locations with the app."""
        with reaching("list the installs"):
            return frozenset(LocationId(one) for one in members(self._redis, "installs"))

    def unconfigured(self) -> tuple[LocationId, ...]:
        """The ids of locations with the app but without settings, sorted."""
        with reaching("list the unconfigured locations"):
            return tuple(LocationId(one) for one in sorted(members(self._redis, "installs") - members(self._redis, "locations")))

    def _own(self) -> None:
        """Mark every partition: from now on, a location that is missing there is unknown."""
        pipe = self._redis.pipeline(transaction=False)
        for owned in keys("owned"):
            pipe.set(owned, 1)
        pipe.execute()

    def _remove(self, change: AppChange) -> None:
        """The app was uninstalled from a location, or from an agency with all that were installed through it."""
        agency = () if change.location_id else self._redis.smembers(key("agency", change.company_id))
        for one in [change.location_id] if change.location_id else sorted(map(text, agency)):
            self._uninstall(keys=[prefix_of(one)], args=[one, change.at_ms, self._retention_ms, REMEMBERED_MS])
        if not change.location_id:
            self._leave_agency(keys=[HOME], args=[change.company_id, change.at_ms])
