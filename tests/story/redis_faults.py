"""Errors that Redis answers instead of executing commands, each caused in the server itself and ended again."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from redis import Redis, RedisError

from bridge.cli import redis_server
from tests.story.machine import poll

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

# How long Redis runs a script before it answers others that it is busy (ms).
BUSY_AFTER_MS = "50"


@contextmanager
def demoted(redis: Redis) -> Iterator[None]:
    """A replica of a missing primary: READONLY, and UNBLOCKED for clients that wait for an item."""
    redis.replicaof("127.0.0.1", redis_server.free_port())
    try:
        yield
    finally:
        redis.replicaof("NO", "ONE")


@contextmanager
def cut_off(redis: Redis) -> Iterator[None]:
    """A replica that returns no stale data: MASTERDOWN for reads too."""
    redis.config_set("replica-serve-stale-data", "no")
    try:
        with demoted(redis):
            yield
    finally:
        redis.config_set("replica-serve-stale-data", "yes")


@contextmanager
def without_replicas(redis: Redis) -> Iterator[None]:
    """NOREPLICAS."""
    with _set(redis, "min-replicas-to-write", "1", "0"):
        yield


@contextmanager
def full(redis: Redis) -> Iterator[None]:
    """OOM."""
    with _set(redis, "maxmemory", "1", "0"):
        yield


@contextmanager
def without_rights(redis: Redis) -> Iterator[None]:
    """NOPERM: a user that may run no script and take no item."""
    redis.acl_setuser("default", enabled=True, commands=["-evalsha", "-brpop", "-lpush"], reset_keys=False)
    try:
        yield
    finally:
        redis.acl_setuser("default", enabled=True, commands=["+evalsha", "+brpop", "+lpush"])


@contextmanager
def unable_to_save(redis: Redis) -> Iterator[None]:
    """MISCONF: a snapshot that can't replace its file, because a folder is there."""
    folder = Path(str(redis.config_get("dir")["dir"])) / str(redis.config_get("dbfilename")["dbfilename"])
    # The snapshot of an earlier time; the server reads its append-only file.
    folder.unlink(missing_ok=True)
    (folder / "in-the-way").mkdir(parents=True)
    redis.config_set("save", "3600 1")
    try:
        redis.bgsave()
        poll("a snapshot that failed", lambda: redis.info("persistence")["rdb_last_bgsave_status"] == "err")
        yield
    finally:
        (folder / "in-the-way").rmdir()
        folder.rmdir()
        redis.config_set("save", "")
        redis.bgsave()
        poll("a snapshot", lambda: redis.info("persistence")["rdb_last_bgsave_status"] == "ok")


@contextmanager
def busy(redis: Redis) -> Iterator[None]:
    """BUSY: another client's endless script."""
    redis.config_set("lua-time-limit", BUSY_AFTER_MS)
    running = threading.Thread(target=_run_for_ever, args=(redis,))
    running.start()
    try:
        poll("a busy Redis", lambda: not _answers(redis))
        yield
    finally:
        redis.script_kill()
        running.join()
        redis.config_set("lua-time-limit", "5000")


FAULTS: dict[str, Callable[[Redis], AbstractContextManager[None]]] = {
    "READONLY": demoted,
    "MASTERDOWN": cut_off,
    "NOREPLICAS": without_replicas,
    "MISCONF": unable_to_save,
    "BUSY": busy,
    "OOM": full,
    "NOPERM": without_rights,
}


@contextmanager
def _set(redis: Redis, name: str, value: str, back: str) -> Iterator[None]:
    redis.config_set(name, value)
    try:
        yield
    finally:
        redis.config_set(name, back)


def _run_for_ever(redis: Redis) -> None:
    known = redis.connection_pool.connection_kwargs
    with (
        Redis(host=known["host"], port=known["port"], password=known["password"], socket_timeout=None) as own,
        suppress(RedisError),
    ):
        own.eval("while true do end", 0)


def _answers(redis: Redis) -> bool:
    try:
        return bool(redis.ping())
    except RedisError:
        return False
