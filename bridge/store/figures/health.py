"""Checks the durability of Redis from its settings; if CONFIG is forbidden, from INFO and WAITAOF."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from redis import ResponseError

from bridge.store.redis.cluster import servers_of
from bridge.store.redis.cluster_layout import NodeMissing
from bridge.store.redis.connection import reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import one_of_each_server
from bridge.store.redis.partitions import key_at

if TYPE_CHECKING:
    from redis import Redis

Fsync = Literal["always", "everysec", "none", "unknown"]

WANTED = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
# With `always` a write is confirmed within milliseconds, with `everysec` the second of two takes up to a second.
CONFIRMED_WITHIN_MS = 400
PROBED_EVERY_MS = 60_000
# Older servers, and Valkey, confirm writes that are not synced yet with `everysec` (redis/redis#13793, and tried with Valkey
# 9.1.2).
TRUSTED_FROM = 8


def missing_durability(redis: Redis) -> tuple[str, ...]:
    """The missing settings for durability, as phrases; empty if it is complete. Raises Unavailable if Redis can't be reached.

    In a cluster a node's phrases begin with its address; those of nodes that are missing are left out.
    """
    missing: list[str] = []
    with reaching("tell its health"):
        servers = servers_of(redis)
        for server, prefix in one_of_each_server(redis).items():
            try:
                lacking = servers[server](partial(_missing_at, prefix)) if server in servers else ()
            except NodeMissing:
                continue
            missing += (f"{server}: {phrase}" if server else phrase for phrase in lacking)
    return tuple(missing)


def _missing_at(prefix: str, server: Redis) -> tuple[str, ...]:
    try:
        found = {name: str(server.config_get(name).get(name)) for name in WANTED}
    except ResponseError:
        return _without_config(server, prefix)
    return _lacking(found)


def _lacking(found: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{name} {wanted} (is {found[name]})" for name, wanted in WANTED.items() if found[name] != wanted)


def _without_config(redis: Redis, prefix: str) -> tuple[str, ...]:
    """The same without CONFIG; unknown settings are reported as not known."""
    try:
        info: dict[str, Any] = {part: redis.info(part) for part in ("server", "persistence", "memory")}
    except ResponseError:
        info = {"server": {}, "persistence": {}, "memory": {}}
    file = info["persistence"].get("aof_enabled")
    fsync: Fsync = "none" if file == 0 else _probed(redis, prefix, info["server"])
    policy = info["memory"].get("maxmemory_policy")
    unknown = ("not known: maxmemory-policy",) if policy is None else ()
    return (
        *judge(fsync),
        *_lacking({"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": policy or "noeviction"}),
        *unknown,
    )


def judge(fsync: Fsync) -> tuple[str, ...]:
    """The missing settings of the append-only file, from the result of the probe."""
    match fsync:
        case "always":
            return ()
        case "everysec":
            return ("appendfsync always (synced later than a write is answered)",)
        case "none":
            return ("appendonly yes (is no)",)
        case "unknown":
            return ("not known: appendfsync (this server forbids CONFIG GET, and its WAITAOF can't tell)",)


def _probed(redis: Redis, prefix: str, server: dict[str, Any]) -> Fsync:
    """The result of the newest probe, or of a new one, which may take twice `CONFIRMED_WITHIN_MS`."""
    known = redis.get(key_at(prefix, "probe", "fsync"))
    if known:
        return _as_fsync(text(known))
    found = _probe(redis, prefix, trusted=_is_trusted(server))
    redis.register_script(script("probe"))(keys=[prefix], args=["fsync", found, PROBED_EVERY_MS])
    return found


def _probe(redis: Redis, prefix: str, *, trusted: bool) -> Fsync:
    """Probe with WAITAOF, which covers only its own connection and doesn't work in MULTI: hence a pipeline without MULTI."""
    probe = redis.register_script(script("probe"))
    pipe = redis.pipeline(transaction=False)
    for _ in range(2):
        probe(keys=[prefix], args=["fsync", "unknown", 1], client=pipe)
        pipe.waitaof(1, 0, CONFIRMED_WITHIN_MS)
    answers = pipe.execute(raise_on_error=False)[1::2]
    if any(isinstance(answer, Exception) for answer in answers):
        return "unknown"
    if all(int(answer[0]) for answer in answers):
        return "always" if trusted else "unknown"
    return "everysec"


def _is_trusted(server: dict[str, Any]) -> bool:
    """Whether the server confirms only synced writes."""
    major = str(server.get("redis_version", "0")).partition(".")[0]
    return server.get("server_name", "redis") == "redis" and int(major) >= TRUSTED_FROM


def _as_fsync(known: str) -> Fsync:
    match known:
        case "always" | "everysec" | "none":
            return known
        case _:
            return "unknown"
