"""The upgrade from schema version 1, in which keys begin with `ghlb:`, to 2, in which they begin with their partition's prefix.

Each step moves a limited number of keys or members in one transaction, so it may be killed, and two processes may run it at once.
Locations are moved first: from then on an older process fails, instead of answering that a location is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bridge.store.redis.connection import scored, text
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import HOME, PREFIXES, UNTAGGED, key, key_at, keys, prefix_of, prefix_of_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from redis import Redis

BATCH = 500
# GHL repeats a webhook for less time, and by then an older process that still runs has been noticed.
TOMBSTONES_KEPT_MS = 7 * 24 * 3600 * 1000
# Sorted sets and sets of all locations.
SORTED = (
    "due", "inflight", "unheard", "unopened", "recent", "undelivered", "handovers", "capped", "untyped", "spoken_stops",
    "other_bot", "sweeps", "grants", "dead",
)  # fmt: skip
SETS = ("retrying", "locations", "holds", "installs", "missed")
# The key that every older worker writes first: its writes are made to fail too.
OF_OLDER_WORKERS = "workers"
# Deleted, because nothing needs them: records of older processes, and times. If necessary, a circuit opens again.
DROPPED = frozenset({
    "circuit", "circuits", "claimed", "folded", "full", "keys", "leader", "live", "located", "patience", "receiving", "upkeep",
    "watched", "workers",
})  # fmt: skip
# Moved before, or not at all.
LEFT_ALONE = frozenset({"ledger", "location", "reported", "schema"})
# Keys that name no location and may belong to any partition: they are copied into all.
OF_ANY = frozenset({"erased", "paused", "rollback", "server"})


def is_untagged(redis: Redis) -> bool:
    """Whether this Redis contains a state of schema version 1."""
    return any(names != [f"{UNTAGGED}schema"] for names in _names(redis, "*"))


def partition_keys(redis: Redis) -> None:
    """Move all keys. Errors of the Redis client are raised unchanged."""
    _mark_partitions(redis)
    for names in _names(redis, "location:*"):
        _move_locations(redis, names)
    for name in SORTED:
        _split(redis, name, lambda old: scored(redis.zrange(old, 0, BATCH - 1, withscores=True)))
    for name in SETS:
        _split(redis, name, lambda old: [(text(one), None) for one in redis.srandmember(old, BATCH) or []])
    _split_reported(redis)
    _split_circuits(redis)
    # A ledger was moved together with a key that names its turn; the remaining ones are named by no key.
    for names in _names(redis, "*"):
        _move(redis, names)
    for names in _names(redis, "ledger:*"):
        _rename(redis, ((name, HOME + name.removeprefix(UNTAGGED)) for name in names))
    redis.set(UNTAGGED + OF_OLDER_WORKERS, "moved", px=TOMBSTONES_KEPT_MS)


def _mark_partitions(redis: Redis) -> None:
    if redis.exists(*(UNTAGGED + name for name in ("located", "locations", "installs"))):
        pipe = redis.pipeline(transaction=False)
        for name in keys("owned"):
            pipe.set(name, 1)
        pipe.execute()


def _move_locations(redis: Redis, names: list[str]) -> None:
    """One call per location: at any time it has one of the two names, and older scripts fail as soon as it has the new one."""
    move = redis.register_script(script("move_location"))
    for name in names:
        move(keys=[name, key(*name.removeprefix(UNTAGGED).split(":"))], args=[TOMBSTONES_KEPT_MS])


def _split(redis: Redis, name: str, read: Callable[[str], Sequence[tuple[str, float | None]]]) -> None:
    """Move the members of a set into their partitions."""
    old = UNTAGGED + name
    kept_ms = int(redis.pttl(old))
    while members := read(old):
        prefixes = _prefixes_of(redis, name, [member for member, _ in members])
        pipe = redis.pipeline(transaction=True)
        for (member, score), prefix in zip(members, prefixes, strict=True):
            new = key_at(prefix, name)
            if score is None:
                pipe.sadd(new, member)
                pipe.srem(old, member)
            else:
                pipe.zadd(new, {member: score})
                pipe.zrem(old, member)
            if kept_ms > 0:
                pipe.pexpire(new, kept_ms)
        pipe.execute()


def _split_reported(redis: Redis) -> None:
    """Move the entries of daily reports into the partitions of their locations; none may count twice."""
    old = UNTAGGED + "reported"

    def move(pipe: Any) -> None:
        entries = [text(one) for one in pipe.lrange(old, 0, BATCH - 1)]
        pipe.multi()
        for entry in entries:
            pipe.rpush(key_at(prefix_of(entry.partition(" ")[0]), "reported"), entry)
        pipe.ltrim(old, len(entries), -1)

    while redis.exists(old):
        redis.transaction(move, old)


def _prefixes_of(redis: Redis, name: str, members: list[str]) -> list[str]:
    if name == "grants":
        return [prefix_of_owner(member) for member in members]
    if name == "dead":
        found = redis.mget([f"{UNTAGGED}dead:{member}" for member in members])
        return [prefix_of(orjson.loads(stored)["location_id"]) if stored else HOME for stored in found]
    return [prefix_of(member) for member in members]


def _split_circuits(redis: Redis) -> None:
    """Copy a circuit into the partitions in which lanes wait for it. If necessary, it opens again in the others."""
    places = dict(scored(redis.zrange(UNTAGGED + "circuits", 0, -1, withscores=True)))
    for id_, at in places.items():
        old = f"{UNTAGGED}circuit:{id_}"
        fields: dict[Any, Any] = redis.hgetall(old)
        kept_ms = int(redis.pttl(old))
        while waiting := scored(redis.zrange(f"{old}:waiting", 0, BATCH - 1, withscores=True)):
            pipe = redis.pipeline(transaction=True)
            for lane, since in waiting:
                prefix = prefix_of(lane)
                pipe.zadd(key_at(prefix, "circuit", id_, "waiting"), {lane: since})
                pipe.zadd(key_at(prefix, "circuits"), {id_: at})
                if fields:
                    pipe.hset(key_at(prefix, "circuit", id_), mapping=fields)
                    pipe.pexpire(key_at(prefix, "circuit", id_), max(kept_ms, 1))
                if "since" in fields:
                    pipe.sadd(key_at(prefix, "circuits", "open"), id_)
                pipe.zrem(f"{old}:waiting", lane)
            pipe.execute()


def _move(redis: Redis, names: list[str]) -> None:
    """Rename the remaining keys by their kinds, and the ledgers of the turns that they name."""
    left: dict[str, list[str]] = {}
    for name in names:
        kind, *rest = name.removeprefix(UNTAGGED).split(":")
        # The id of a webhook names no location. It may be dropped, because its message's id is stored too.
        if kind in DROPPED or (kind == "seen" and len(rest) == 1):
            redis.delete(name)
        elif kind in OF_ANY:
            _copy(redis, name)
        elif kind == "topped":
            _note_backfilled(redis, name, rest)
        elif kind not in LEFT_ALONE and (rest or kind not in {*SORTED, *SETS}):
            left[name] = [kind, *rest]
    values = _values(redis, left)
    ledgers = [pair for name, its in left.items() for pair in _ledgers(redis, name, its)]
    _rename(redis, [*ledgers, *((name, _new_name(its, values.get(name))) for name, its in left.items())])


def _note_backfilled(redis: Redis, name: str, lane: Sequence[str]) -> None:
    """It is a field of the lane's record now. Of a lane without a record GHL's list is read once more."""
    for record in (f"{UNTAGGED}lane:{':'.join(lane)}", key("lane", *lane)):
        if redis.exists(record):
            redis.hset(record, "backfilled", 1)
    redis.delete(name)


def _values(redis: Redis, left: dict[str, list[str]]) -> dict[str, str]:
    """The values that contain the location, for keys whose names don't."""
    found = {name: redis.hget(name, "lane") for name, its in left.items() if its[0] == "excerpt"}
    strings = [name for name, its in left.items() if its[0] in {"index", "dead"}]
    found |= dict(zip(strings, redis.mget(strings) if strings else (), strict=True))
    return {name: text(value) for name, value in found.items() if value}


def _new_name(its: list[str], value: str | None) -> str:
    kind, *rest = its
    if kind in {"index", "excerpt", "dead"}:
        lane = orjson.loads(value)["location_id"] if value and kind == "dead" else value
        return key_at(prefix_of(lane) if lane else HOME, *its)
    return key_at(HOME, *its) if kind in {"totals", "chart"} or not rest else key(*its)


def _ledgers(redis: Redis, name: str, its: list[str]) -> Iterator[tuple[str, str]]:
    kind, *rest = its
    found: Iterable[Any] = ()
    match kind:
        case "own":
            found = [redis.get(name)]
        case "lane":
            found = [redis.hget(name, "turn")]
        case "posted":
            found = [text(one).partition(" ")[0] for one in redis.hvals(name)]
        case "replies":
            found = redis.zrange(name, 0, -1)
        case "buried" | "replays":
            found = redis.lrange(name, 0, -1)
    for turn in {text(one) for one in found if one}:
        yield f"{UNTAGGED}ledger:{turn}", key_at(prefix_of(rest[0]), "ledger", turn)


def _copy(redis: Redis, name: str) -> None:
    """Copy a key into each partition, in one transaction."""
    pipe = redis.pipeline(transaction=True)
    for prefix in PREFIXES:
        pipe.copy(name, prefix + name.removeprefix(UNTAGGED))
    pipe.delete(name)
    pipe.execute()


def _rename(redis: Redis, pairs: Iterable[tuple[str, str]]) -> None:
    names = [name for pair in pairs for name in pair]
    for at in range(0, len(names), 2 * BATCH):
        redis.register_script(script("rename"))(keys=names[at : at + 2 * BATCH], args=[])


def _names(redis: Redis, pattern: str) -> Iterator[list[str]]:
    """The keys of a pattern, in batches. Those that exist all the time are complete."""
    batch: list[str] = []
    for name in redis.scan_iter(UNTAGGED + pattern, count=BATCH):
        batch.append(text(name))
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
