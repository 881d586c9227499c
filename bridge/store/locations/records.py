"""Stored locations: the encrypted settings, which contain tokens, and the few fields that scripts read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from bridge.errors import Misconfigured
from bridge.ghl.workflow_secrets import keyed_hash
from bridge.locations import Location
from bridge.locations_file import revealed
from bridge.model import LocationId
from bridge.policy.stop_words import stopping
from bridge.store.redis.connection import now_ms, reaching, rows, text
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import key, key_at, keys, members, prefix_of
from bridge.store.redis.sealing import Resealing, Seal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from redis import Redis

    from bridge.store.redis.sealing import Resealed


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationRecord:
    """A location with its recorded state; times are ms, 0 if something has not happened.

    `activated_at_ms` is when it was first applied, `last_event_at_ms` when its newest event arrived, `unclaimed` the number of
    its newest consecutive completions without a claim of delivery, `seen` the number of consecutive true claims. `hold_since_ms`
    and `hold_why` (the side that refused three logins) are set while it is on hold; `held_from_ms` and `held_until_ms` are its
    last ended hold. `paused` is set by an operator. `installed_at_ms` is when the app was installed, through the agency
    `company_id` if that is known; `uninstalled_at_ms` is when it was uninstalled, until it is installed again.
    `marketplace_at_ms` is when its newest marketplace event arrived, `unheard` the number of replies since the last event about
    an outbound message, or since its settings were applied.
    """

    location: Location
    activated_at_ms: int
    last_event_at_ms: int
    unclaimed: int
    seen: int
    hold_since_ms: int
    held_from_ms: int
    held_until_ms: int
    hold_why: str
    paused: bool
    installed_at_ms: int
    uninstalled_at_ms: int
    marketplace_at_ms: int
    unheard: int
    company_id: str


NUMBERS = (
    "activated_at", "last_event_at", "unclaimed", "seen", "hold", "held_from", "held_until", "installed_at", "uninstalled_at",
    "marketplace_at", "unheard",
)  # fmt: skip
FIELDS = ("settings", "hold_why", "paused", "company", *NUMBERS)


# How many lanes one script call reschedules, which takes a few milliseconds.
LANES_A_STEP = 250


def named(values: Sequence[str | None]) -> dict[str, str]:
    """The stored fields of a location's record, by name, without missing ones."""
    return {name: value for name, value in zip(FIELDS, values, strict=True) if value is not None}


class Locations:
    """All locations. Raises Unavailable when Redis can't be reached, Misconfigured if no key decrypts the data."""

    def __init__(self, redis: Redis, *, fernet_keys: Iterable[str], retention_ms: int) -> None:
        self._redis = redis
        self._lift_hold = redis.register_script(script("lift_hold"))
        self._remove = redis.register_script(script("remove"))
        self._reconsider = redis.register_script(script("reconsider"))
        self._learn = redis.register_script(script("set_location_fields"))
        self._retention_ms = retention_ms
        keys = list(fernet_keys)
        self._newest_key = keys[0]
        self._seal = Seal(keys)
        self._resealing = Resealing(redis, self._seal)
        self._opened = lru_cache(maxsize=1024)(self._open)

    def get(self, location_id: LocationId) -> LocationRecord | None:
        """The location; None if it is not known."""
        with reaching(f"read location {location_id}"):
            fields: Any = self._redis.hmget(key("location", location_id), FIELDS)
        return self.open(location_id, named(fields))

    def open(self, location_id: LocationId, fields: Mapping[str, str]) -> LocationRecord | None:
        """A location from its stored record; None if the record has no settings. Raises Misconfigured."""
        return self._kept(location_id, fields) if fields.get("settings") else None

    def apply(self, locations: Iterable[Location]) -> None:
        """Add or replace locations, all or none."""
        with reaching("keep the locations"):
            now = now_ms(self._redis)
            pipe = self._redis.pipeline(transaction=True)
            for owned in keys("owned"):
                pipe.set(owned, 1)
            for location in locations:
                record, at = key("location", location.id), prefix_of(location.id)
                pipe.hset(record, items=self._fields(location))
                pipe.hsetnx(record, "activated_at", now)
                pipe.hdel(record, "unheard")
                pipe.sadd(key_at(at, "locations"), location.id)
                pipe.delete(key("stopping", location.id))
                pipe.sadd(key("stopping", location.id), *stopping(location.stop_words) or ("",))
                if location.reconcile_minutes:
                    # An earlier sweep is not postponed; a shorter interval counts immediately.
                    pipe.zadd(key_at(at, "sweeps"), {location.id: now + round(location.reconcile_minutes * 60_000)}, lt=True)
                else:
                    pipe.zrem(key_at(at, "sweeps"), location.id)
            pipe.execute()

    def reconsider(self, location_id: LocationId) -> int:
        """Compute again when lanes are due that wait because of the location's settings. Returns their number.

        Each step is a short script, so that Redis serves other clients between two steps.
        """
        cursor, anew = "0", 0
        with reaching(f"reschedule the waiting lanes of {location_id}"):
            while True:
                found = self._reconsider(keys=[prefix_of(location_id)], args=[location_id, cursor, LANES_A_STEP])
                cursor, anew = text(found[0]), anew + int(found[1])
                if cursor == "0":
                    return anew

    def pause(self, location_id: LocationId, *, paused: bool) -> None:
        """Pause or resume a location."""
        with reaching(f"pause or resume {location_id}"):
            self._learn(keys=[prefix_of(location_id)], args=[location_id, "paused", int(paused)])

    def remove(self, location_id: LocationId) -> None:
        """Delete a location; its waiting messages are skipped, with the reason unknown_location."""
        with reaching(f"remove {location_id}"):
            self._remove(keys=[prefix_of(location_id)], args=[location_id])

    def lift_hold(self, location_id: LocationId, *, why: str) -> int | None:
        """End a hold: its lanes become due, and the dead letters that caused it are replayed.

        Returns their number, None without a hold.
        """
        event = orjson.dumps({"step": "replayed", "why": why})
        with reaching(f"lift the hold of {location_id}"):
            replayed = int(self._lift_hold(keys=[prefix_of(location_id)], args=[location_id, event, self._retention_ms]))
        return None if replayed < 0 else replayed

    def reseal(self, location_id: LocationId) -> Resealed:
        """Re-encrypt a location's settings with the newest key."""

        def made_of(settings: bytes) -> dict[str, str]:
            fields = rows(self._fields(Location.model_validate_json(settings)))
            return {name: fields[name] for name in ("settings", "workflow_hash")}

        return self._resealing.reseal(key("location", location_id), "settings", made_of)

    def ids(self) -> tuple[LocationId, ...]:
        """The ids of all locations, in order."""
        with reaching("list the locations"):
            return tuple(LocationId(one) for one in sorted(members(self._redis, "locations")))

    def some(self, ids: Sequence[LocationId]) -> tuple[LocationRecord, ...]:
        """Those of these locations that exist."""
        with reaching("read locations"):
            pipe = self._redis.pipeline(transaction=False)
            for one in ids:
                pipe.hmget(key("location", one), FIELDS)
            found = pipe.execute()
        return tuple(self._kept(one, named(fields)) for one, fields in zip(ids, found, strict=True) if fields[0])

    def unreadable(self) -> tuple[LocationId, ...]:
        """The ids of locations that none of the keys can decrypt."""
        ids = self.ids()
        with reaching("read locations"):
            pipe = self._redis.pipeline(transaction=False)
            for one in ids:
                pipe.hget(key("location", one), "settings")
            sealed = pipe.execute()
        return tuple(one for one, each in zip(ids, sealed, strict=True) if each and self._seal.open(each) is None)

    def all(self) -> tuple[LocationRecord, ...]:
        """Every location, sorted by name."""
        return tuple(sorted(self.some(self.ids()), key=lambda each: (each.location.name, each.location.id)))

    def _kept(self, id_: str, fields: Mapping[str, str]) -> LocationRecord:
        known = {name: int(fields.get(name) or 0) for name in NUMBERS}
        return LocationRecord(
            location=self._opened(id_, fields["settings"]),
            activated_at_ms=known["activated_at"],
            last_event_at_ms=known["last_event_at"],
            unclaimed=known["unclaimed"],
            seen=known["seen"],
            hold_since_ms=known["hold"],
            held_from_ms=known["held_from"],
            held_until_ms=known["held_until"],
            hold_why=fields.get("hold_why", ""),
            paused=fields.get("paused") == "1",
            installed_at_ms=known["installed_at"],
            uninstalled_at_ms=known["uninstalled_at"],
            marketplace_at_ms=known["marketplace_at"],
            unheard=known["unheard"],
            company_id=fields.get("company", ""),
        )

    def _fields(self, location: Location) -> list[str | int]:
        sealed = self._seal.close(orjson.dumps(revealed(location.model_dump())))
        debounce, most = round(location.debounce_seconds * 1000), round(location.debounce_max_seconds * 1000)
        max_age, takeover = round(location.max_age_seconds * 1000), round(location.takeover_seconds * 1000)
        secret = location.workflow_secret.get_secret_value() if location.workflow_secret else ""
        # The receiver compares it with every webhook without decrypting the settings.
        hashed = keyed_hash(secret.encode(), location.location_id, self._newest_key) if secret else ""
        timing = {"debounce_ms": debounce, "debounce_max_ms": most, "max_age_ms": max_age, "takeover_ms": takeover}
        delivers = location.provider == "assistable" and location.assistable.delivery == "provider"
        takes_over = {"by_workflow": int(location.takeover_by_workflow), "by_call": location.takeover_by_call}
        plain = {**timing, **takes_over, "delivers": int(delivers)}
        return ["settings", sealed, "workflow_hash", hashed, *(part for pair in plain.items() for part in pair)]

    def _open(self, location_id: str, sealed: str) -> Location:
        settings = self._seal.open(sealed)
        if settings is None:
            raise Misconfigured(
                f"BRIDGE_SECRET_KEY does not decrypt location {location_id}: add the key of that time after the new one"
            )
        return Location.model_validate_json(settings)
