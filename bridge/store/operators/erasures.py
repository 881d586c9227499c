"""Erasing a contact: everything stored about it is removed, except what it opted out of, under a digest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from bridge.store.lanes.pseudonyms import digests
from bridge.store.redis.connection import reaching, scored, text
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import ANY, key, key_at, prefix_of, split_key
from bridge.store.redis.retention import REMEMBERED_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bridge.model import Lane
    from bridge.store.redis.connection import Redis

BATCH = 1000
NOBODY = "(erased)"
# Keys that `erase_begin.lua` has removed already, so that existing ones are newer; and keys that are found by ids.
REMOVED_AT_ONCE = frozenset({
    "lane", "waiting", "carried", "buried", "replays", "timeline", "standing", "replies", "said", "posted", "unclear",
    "twins", "delivery", "index", "message", "own", "seen", "dead", "ledger", "due", "location", "excerpt", "person",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class ErasureBegun:
    """When the erasure began (ms), how many records it has removed, and the channels that stay opted out."""

    at_ms: int
    records: int
    stopped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErasedRecords:
    """How many records were removed, and the channels that stay opted out."""

    records: int
    stopped: tuple[str, ...]


class Erasures:
    """Erases contacts. Raises Unavailable when Redis can't be reached; another call then removes the rest."""

    def __init__(self, redis: Redis, *, fernet_keys: Sequence[str], retention_ms: int) -> None:
        self._redis = redis
        self._erase = redis.register_script(script("erase_begin"))
        self._forget_ids = redis.register_script(script("forget_ids"))
        self._keys = tuple(fernet_keys)
        self._retention_ms = retention_ms

    def erase(self, lane: Lane) -> ErasedRecords:
        """Remove all stored data of a contact. This reads all stored ids, which takes seconds for a million of them.

        The records of seen message ids stay for their 7 days, so that a repeated webhook is recognised; they name no contact.
        """
        return self.finish(lane, self.begin(lane))

    def begin(self, lane: Lane) -> ErasureBegun:
        """Fence off a worker that holds the lane, and remove the records under the contact's id, in one step."""
        with reaching("begin to erase a contact"):
            at, records, *stopped = self._erase(
                keys=[prefix_of(lane)], args=[str(lane), digests(lane, self._keys)[0], self._retention_ms, REMEMBERED_MS]
            )
        return ErasureBegun(at, records, tuple(sorted(map(text, stopped))))

    def finish(self, lane: Lane, begun: ErasureBegun) -> ErasedRecords:
        """Remove the records under other ids; messages that arrived after the begin stay."""
        records = begun.records
        with reaching("erase a contact"):
            ids = set(self._ids(lane))
            for some in _batches(sorted(ids)):
                records += self._forget_ids(keys=[prefix_of(lane)], args=[str(lane), begun.at_ms, REMEMBERED_MS, *some])
            records += self._forget_letters(lane) + self._forget_excerpts(lane) + self._forget_others(lane)
            self._forget_mentions(lane)
            self._redact({*ids, lane.contact_id})
        return ErasedRecords(records, begun.stopped)

    def stopped(self, lane: Lane) -> dict[str, int]:
        """The channels that an erased contact opted out of, and since when (ms)."""
        found: dict[str, int] = {}
        with reaching(f"read what {lane} forbade"):
            for digest in digests(lane, self._keys):
                fields = self._redis.hgetall(key_at(prefix_of(lane), "erased", digest))
                found |= {text(name)[5:]: int(at) for name, at in fields.items() if text(name).startswith("stop:")}
        return found

    def kept(self) -> int:
        """The number of erased contacts with a record under a digest."""
        with reaching("count erased contacts"):
            return sum(1 for _ in self._redis.scan_iter(f"{ANY}erased:*", count=BATCH))

    def allow(self, lane: Lane) -> tuple[str, ...]:
        """Lift the opt-outs of an erased contact. Returns the channels."""
        stopped = tuple(sorted(self.stopped(lane)))
        with reaching(f"allow {lane}"):
            for digest in digests(lane, self._keys) if stopped else ():
                self._redis.hdel(key_at(prefix_of(lane), "erased", digest), *(f"stop:{channel}" for channel in stopped))
        return stopped

    def _ids(self, lane: Lane) -> Iterator[str]:
        """All ids that lead to the lane: of messages, of the conversation, of replies, of the contact."""
        yield lane.contact_id
        for names in self._names(lane, "index:*"):
            values = self._redis.mget(names)
            yield from (_last(name) for name, value in zip(names, values, strict=True) if value == str(lane))
        for names in self._names(lane, f"own:{lane.location_id}:*"):
            values = self._redis.mget(names)
            yield from (_last(name) for name, value in zip(names, values, strict=True) if _owner(value) == lane.contact_id)
        for names in self._names(lane, f"message:{lane.location_id}:*"):
            pipe = self._redis.pipeline(transaction=False)
            for name in names:
                pipe.hget(name, "lane")
            yield from (_last(name) for name, value in zip(names, pipe.execute(), strict=True) if value == str(lane))

    def _forget_letters(self, lane: Lane) -> int:
        """Remove closed dead letters; the open ones are removed already."""
        removed = 0
        for names in self._names(lane, "dead:*"):
            for name, value in zip(names, self._redis.mget(names), strict=True):
                dead_letter = orjson.loads(value) if value else {}
                if (dead_letter.get("location_id"), dead_letter.get("contact_id")) == (lane.location_id, lane.contact_id):
                    removed += int(self._redis.delete(name, key_at(prefix_of(lane), "ledger", dead_letter["id"])))
        return removed

    def _forget_excerpts(self, lane: Lane) -> int:
        """Remove the excerpts of ended turns."""
        removed = 0
        for names in self._names(lane, "excerpt:*"):
            its = [name for name in names if self._redis.hget(name, "lane") == str(lane)]
            removed += int(self._redis.delete(*its)) if its else 0
        return removed

    def _forget_others(self, lane: Lane) -> int:
        """Remove all other keys that are named after the lane."""
        removed = 0
        for names in self._names(lane, f"*:{lane.location_id}:{lane.contact_id}*"):
            others = [name for name in names if _is_of(name, lane)]
            if others:
                removed += int(self._redis.delete(*others))
        return removed

    def _forget_alerts_about(self, lane: Lane) -> None:
        """Remove alert causes that contain the lane."""
        for name in (key("alerts"), key("alerts", "pending")):
            about = [cause for cause in self._redis.hkeys(name) if text(cause).endswith(f":{lane}")]
            if about:
                self._redis.hdel(name, *about)

    def _forget_mentions(self, lane: Lane) -> None:
        """Remove the lane from records of all contacts: reply limits, circuits, texts of alerts."""
        for warning in ("capped", "untyped", "spoken_stops", "other_bot"):
            self._redis.zrem(key_at(prefix_of(lane), warning), str(lane))
        for names in self._names(lane, "circuit:*:faults"):
            for name in names:
                for field, met in self._redis.hgetall(name).items():
                    if met == str(lane):
                        self._redis.hdel(name, field)
        self._forget_alerts_about(lane)
        for cause, said in self._redis.hgetall(key("alerts")).items():
            if lane.contact_id in text(said):
                self._redis.hset(key("alerts"), cause, text(said).replace(lane.contact_id, NOBODY))
        for waiting in self._redis.lrange(key("alerts", "outbox"), 0, -1):
            if lane.contact_id in text(waiting):
                self._redis.rpush(key("alerts", "outbox"), text(waiting).replace(lane.contact_id, NOBODY))
                self._redis.lrem(key("alerts", "outbox"), 0, text(waiting))

    def _redact(self, ids: set[str]) -> None:
        """Remove the ids from the audit log; the entries stay."""
        for stored, at in scored(self._redis.zrange(key("audit"), 0, -1, withscores=True)):
            entry = orjson.loads(stored)
            if ids.intersection(entry["ids"]):
                entry["ids"] = [NOBODY if one in ids else one for one in entry["ids"]]
                pipe = self._redis.pipeline(transaction=True)
                pipe.zadd(key("audit"), {orjson.dumps(entry): at})
                pipe.zrem(key("audit"), stored)
                pipe.execute()

    def _names(self, lane: Lane, pattern: str) -> Iterator[list[str]]:
        found = (text(name) for name in self._redis.scan_iter(prefix_of(lane) + pattern, count=BATCH))
        return _batches(found)


def _last(name: str) -> str:
    return name.rpartition(":")[2]


def _owner(stored: object) -> str:
    return text(stored or "").partition(" ")[2]


def _is_of(name: str, lane: Lane) -> bool:
    kind, *parts = split_key(name)[1].split(":")
    return kind not in REMOVED_AT_ONCE and parts[:2] == [lane.location_id, lane.contact_id]


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    batch: list[Any] = []
    for name in names:
        batch.append(name)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
