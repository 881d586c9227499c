"""Writes that replicas must confirm: without a replica none counts, and nothing else changes."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bridge.errors import NotConfirmed, Unavailable
from bridge.model import LedgerEntry, SendState
from bridge.store.lanes.inbox import Inbox
from bridge.store.lanes.leases import Lanes
from bridge.store.redis.confirmations import Confirmation
from bridge.store.redis.connection import connect, connect_async
from bridge.store.redis.writable import try_write
from tests import torn_file
from tests.keys import key
from tests.stored import (
    HERE,
    LANE,
    LONG,
    RETENTION_MS,
    accept,
    claim,
    eventually,
    keep,
    lanes_of,
    ledger_of,
    message,
    own_redis,
    part,
)
from tests.story.preloaded import held_syncs, needs_compiler

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from bridge.model import Turn

ONE = Confirmation(1)
# Between two reports of a replica to its primary.
REPORT_SECONDS = 1.0


def taken(redis: Redis) -> Turn:
    """A turn of a message."""
    keep(redis)
    accept(redis, message())
    claim(lanes_of(redis))
    turn = lanes_of(redis).lease(LANE)
    assert turn
    return turn


def confirming(redis: Redis) -> Lanes:
    return Lanes(redis, lease_seconds=LONG, retention_ms=RETENTION_MS, confirmation=ONE)


async def test_what_no_replica_has_is_not_accepted_however_often_it_comes(redis: Redis, redis_url: str) -> None:
    """A repeated webhook, then a duplicate, is refused too; a pure read is answered."""
    keep(redis)
    accept(redis, message("m0"))  # the server knows the script
    inbox = Inbox(connect_async(redis_url), retention_ms=RETENTION_MS, seconds=1.0, confirmation=ONE)
    for _ in range(2):
        with pytest.raises(Unavailable, match="0 of 1 replicas"):
            await inbox.accept(message())
    assert await inbox.workflow_hash(HERE) == ""
    await inbox.close()


def test_a_note_that_no_replica_has_lets_nothing_be_posted(redis: Redis) -> None:
    """It is in the ledger, and may be taken back, because nothing was sent."""
    turn = taken(redis)
    lanes = confirming(redis)
    with pytest.raises(NotConfirmed, match="0 of 1 replicas"):
        lanes.sending(turn, part(), at_ms=1, channel="SMS", revision=0)
    assert ledger_of(redis, turn)["0"].state is SendState.SENDING
    lanes.not_sent(turn, part(), at_ms=2)
    assert ledger_of(redis, turn)["0"] == LedgerEntry(state=SendState.NOT_SENT, at_ms=2, last=True)


def test_what_was_not_written_needs_no_replica(redis: Redis) -> None:
    """A refused write has its usual reason, which no replica could change."""
    turn = taken(redis)
    accept(redis, message("m2"))
    redis.hset(key("standing", str(LANE)), "revision", 7)
    with pytest.raises(Exception, match="standing"):
        confirming(redis).sending(turn, part(), at_ms=1, channel="SMS", revision=0)
    assert ledger_of(redis, turn) == {}


def test_a_script_that_the_server_does_not_know_is_loaded(tmp_path: Path) -> None:
    """After a restart with a replica the write is confirmed, on the connection that wrote it."""
    with two_servers(tmp_path) as (redis, _):
        redis.script_flush()
        assert redis.wait(1, 20_000) == 1
        assert try_write(redis, replicas=1).why_not == ""
        assert "1 of 2 replicas" in try_write(redis, replicas=2).why_not


@needs_compiler
@pytest.mark.parametrize("maker", torn_file.SERVERS)
def test_a_replica_that_syncs_each_write_confirms_what_it_has_synced(maker: str, tmp_path: Path) -> None:
    """With `appendfsync always` on the replica, WAIT needs no WAITAOF; with `everysec` it confirms what is only in memory."""
    held = tmp_path / "held"
    environ = held_syncs(tmp_path, file=held)
    with two_servers(tmp_path, program=torn_file.program(maker), environ=environ) as (redis, there):
        assert try_write(redis, replicas=1).why_not == ""
        held.touch()
        assert "0 of 1 replicas" in try_write(redis, replicas=1).why_not
        held.unlink()
        eventually(lambda: not try_write(redis, replicas=1).why_not)
        there.config_set("appendfsync", "everysec")
        held.touch()
        assert try_write(redis, replicas=1).why_not == ""
        held.unlink()


def test_waitaof_hears_from_a_replica_too_seldom(tmp_path: Path) -> None:
    """It counts what the replica said in its report of each second: a write waits up to a second, longer than a webhook may."""
    with two_servers(tmp_path, program=torn_file.program("Valkey")) as (redis, _):
        assert try_write(redis, replicas=1).why_not == ""
        assert waited_for(redis, "WAIT", 1) < REPORT_SECONDS / 4
        waited_for(redis, "WAITAOF", 0, 1)
        assert waited_for(redis, "WAITAOF", 0, 1) > REPORT_SECONDS / 2


def waited_for(redis: Redis, *command: str | int) -> float:
    """How long (s) this replica took to confirm a write."""
    pipe = redis.pipeline(transaction=False)
    pipe.set("written", 1)
    pipe.execute_command(*command, 5000)  # type: ignore[no-untyped-call]
    began = time.monotonic()
    confirmed = pipe.execute()[1]
    assert confirmed in (1, [1, 1])
    return time.monotonic() - began


@contextmanager
def two_servers(
    folder: Path, *, program: Path | None = None, environ: dict[str, str] | None = None
) -> Iterator[tuple[Redis, Redis]]:
    """A primary with a location, and its replica in step, whose process has these variables."""
    with (
        own_redis(folder / "primary", "--repl-diskless-sync-delay", "0", program=program) as primary,
        own_redis(folder / "replica", program=program, environ=environ) as replica,
        connect(primary.url) as redis,
        connect(replica.url) as there,
    ):
        there.config_set("masterauth", primary.url.partition("@")[0].rpartition(":")[2])
        there.replicaof("127.0.0.1", primary.url.rpartition(":")[2].partition("/")[0])
        keep(redis)
        assert redis.wait(1, 20_000) == 1
        yield redis, there
