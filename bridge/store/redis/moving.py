"""Moves a whole state into another Redis: from one server to a cluster, or back. No process may use either of them meanwhile.

It is safe at every moment. While the copy is incomplete, no process starts on it (`moving`), and the source is as it was. When it
is complete, the source loses its locations and marks, so that an overlooked receiver there answers 429, and no process starts
there any more (`moved`). A move that was interrupted starts over, or is completed if only that is left.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from redis import ResponseError

from bridge.errors import DidNotWork, Misconfigured
from bridge.store.redis.connection import now_ms, reaching, text
from bridge.store.redis.partitions import ANY, PREFIXES, UNTAGGED, key, key_at, keys, split_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redis import Redis

BATCH = 500
SCHEMA_KEY = f"{UNTAGGED}schema"
# The first three show that processes live. `owned` comes last, because a receiver takes a location for unknown only where it is.
LEFT_OUT = frozenset({"keys", "receiving", "workers", "moved", "moving", "owned"})
# The longest of these signs lasts for a minute after a process has ended.
SIGNS_LAST_SECONDS = 75.0
GONE = -2
NOT_READ = "payload version or checksum"


def refuse_moved(redis: Redis) -> None:
    """Raise Misconfigured if this state was moved away, or is not complete yet. The client's errors pass."""
    moved, moving = redis.mget(key("moved"), key("moving"))
    if moved:
        raise Misconfigured("the state of this Redis was moved to another one by `ghl-bridge move`: name that one in REDIS_URL")
    if moving:
        raise Misconfigured(
            "`ghl-bridge move` has not finished with the state in this Redis: run it again, with the old Redis in REDIS_URL"
        )


def move(source: Redis, target: Redis, *, seconds: float = SIGNS_LAST_SECONDS) -> int:
    """Move everything; returns the number of keys in the copy.

    Raises DidNotWork if a process uses one of them for `seconds` more, if there is nothing to move, or if the target has a
    state, and Unavailable. Nothing is lost then; repeat it.
    """
    with reaching("move the state"):
        id_ = text(source.get(key("installation")) or "")
        if not id_ or source.mget(key("upgrading"), key("moving")) != [None, None]:
            raise DidNotWork("the Redis of REDIS_URL has no complete state of this version: nothing was moved")
        _wait_until_unused(source, target, seconds=seconds)
        ours = text(target.get(key("moving")) or "") == id_
        if not source.exists(key("moved")):
            _refuse_owned(target, ours=ours)
            target.set(key("moving"), id_)
            _empty(target)
            _copy(source, target)
            _wait_until_unused(source, target, seconds=0)
        elif not ours:
            raise DidNotWork("the state of the Redis of REDIS_URL was moved before: name the Redis in REDIS_URL that has it now")
        # From here on the copy is the state, whatever is interrupted.
        _disown(source)
        for name in keys("owned"):
            target.set(name, 1)
        target.delete(key("moving"))
        return sum(len(names) for names in _names(target))


def _refuse_owned(target: Redis, *, ours: bool) -> None:
    """Raise DidNotWork if the target has locations. A target that never had any, or an unfinished copy, is replaced."""
    if not ours and any(target.exists(name) for name in keys("owned")):
        raise DidNotWork("the new Redis has a state of its own, with locations: nothing was moved; name an empty one")


def _wait_until_unused(*both: Redis, seconds: float) -> None:
    until = time.monotonic() + seconds
    while any(map(_is_used, both)):
        if time.monotonic() >= until:
            raise DidNotWork("a receiver or a worker uses the old Redis or the new one: stop all of them, then repeat this")
        time.sleep(0.5)


def _is_used(redis: Redis) -> bool:
    now = now_ms(redis)
    signs = (redis.zcount(key(name), f"({now}", "+inf") for name in ("keys", "workers"))
    return any(signs) or bool(redis.exists(key("receiving")))


def _empty(target: Redis) -> None:
    """Remove what an earlier attempt left, so that no old key is beside the copy."""
    target.delete(key("moved"))
    for names in _names(target):
        pipe = target.pipeline(transaction=False)
        for name in names:
            pipe.unlink(name)
        pipe.execute()


def _copy(source: Redis, target: Redis) -> None:
    """Copy every key with its expiry, then look for what is missing, which is copied again."""
    for names in _names(source):
        _copy_keys(source, target, names)
    for names in _names(source):
        pipe = target.pipeline(transaction=False)
        for name in names:
            pipe.exists(name)
        _copy_keys(source, target, [name for name, found in zip(names, pipe.execute(), strict=True) if not found])
    _copy_keys(source, target, [SCHEMA_KEY])


def _copy_keys(source: Redis, target: Redis, names: Sequence[str]) -> None:
    reading = source.pipeline(transaction=False)
    for name in names:
        # In this order: a key that expires in between is missing in the second answer.
        reading.dump(name)
        reading.pttl(name)
    found = reading.execute()
    writing = target.pipeline(transaction=False)
    for name, value, left_ms in zip(names, found[::2], found[1::2], strict=True):
        if value is not None and left_ms != GONE:
            # 0 would be for ever.
            writing.restore(name, 0 if left_ms < 0 else max(left_ms, 1), value, replace=True)
    try:
        writing.execute()
    except ResponseError as error:
        if NOT_READ not in str(error):
            raise
        raise DidNotWork(
            "the new Redis can't read what this one writes: take one of the same maker and version, or a newer one"
        ) from None


def _disown(source: Redis) -> None:
    """Remove the records with which webhooks are accepted, so that an overlooked receiver answers 429."""
    source.set(key("moved"), now_ms(source))
    locations: dict[str, list[str]] = {prefix: [] for prefix in PREFIXES}
    for name in map(text, source.scan_iter(f"{ANY}location:*", count=BATCH)):
        locations[split_key(name)[0]].append(name)
    for prefix, names in locations.items():
        # In one command: a location that is missing where the mark is would be taken for unknown.
        source.delete(key_at(prefix, "owned"), *names)


def _names(redis: Redis) -> Iterator[list[str]]:
    """The keys of the bridge in batches, without those of live processes."""
    batch: list[str] = []
    for name in map(text, redis.scan_iter(f"{ANY}*", count=BATCH)):
        if split_key(name)[1] in LEFT_OUT:
            continue
        batch.append(name)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
