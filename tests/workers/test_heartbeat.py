"""The heartbeat: a lease is renewed as long as its turn is worked on, and no longer."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bridge.errors import Fenced
from bridge.store.redis.connection import connect, connect_without_retries
from tests.stored import LANE, accept, check, claim, eventually, keep, lanes_of, message, own_redis, pass_time, take
from workers.heartbeat import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from bridge.model import Turn

LEASE = 1.2


@contextmanager
def beating(heartbeat: Heartbeat) -> Iterator[None]:
    thread = threading.Thread(target=heartbeat.run)
    thread.start()
    try:
        yield
    finally:
        heartbeat.stop()
        thread.join(5)
    assert not thread.is_alive()


def test_a_short_lease_lives_as_long_as_its_turn(redis: Redis) -> None:
    """A kept turn is no other worker's for many leases; after that its lease expires."""
    keep(redis)
    accept(redis, message())
    lanes = lanes_of(redis, lease=LEASE)
    turn = take(lanes)
    heartbeat = Heartbeat(lanes, every=LEASE / 6)
    with beating(heartbeat):
        with heartbeat.keeping(turn):
            deadline = time.monotonic() + 3 * LEASE
            while time.monotonic() < deadline:
                assert claim(lanes) == ()
                time.sleep(0.02)
            check(lanes, turn, revision=0, seconds=0)
        eventually(lambda: claim(lanes) == (LANE,))


def test_nothing_kept_is_nothing_to_do() -> None:
    """Without turns a heartbeat does not call Redis."""
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        Heartbeat(lanes_of(nowhere), every=1).beat()


def test_a_turn_is_let_go_even_when_it_fails(redis: Redis) -> None:
    """After a fault in its work a turn is no longer renewed."""
    keep(redis)
    accept(redis, message())
    lanes = lanes_of(redis)
    turn = take(lanes)
    heartbeat = Heartbeat(lanes, every=1)
    with pytest.raises(Fenced), heartbeat.keeping(turn):
        raise Fenced
    pass_time(redis, 2000)
    heartbeat.beat()
    assert claim(lanes) == (LANE,)


def test_a_lost_lease_does_not_end_the_others(redis: Redis) -> None:
    """Of several kept turns a lost one stays lost, and the others are renewed."""
    keep(redis)
    accept(redis, message())
    lanes = lanes_of(redis)
    lost = take(lanes)
    pass_time(redis, 1001)
    kept = take(lanes)
    heartbeat = Heartbeat(lanes, every=1)
    with heartbeat.keeping(lost), heartbeat.keeping(kept):
        pass_time(redis, 900)
        heartbeat.beat()
    check(lanes, kept, revision=0, seconds=950)
    with pytest.raises(Fenced):
        check(lanes, lost, revision=0, seconds=0)


def test_an_outage_is_slept_through(tmp_path: Path) -> None:
    """A heartbeat without Redis continues, and takes its expired lease back when Redis is there again."""
    with own_redis(tmp_path) as server, connect(server.url) as redis:
        keep(redis)
        accept(redis, message())
        turn = take(lanes_of(redis, lease=LEASE))
        with connect_without_retries(server.url, seconds=LEASE / 3) as of_the_heart:
            heartbeat = Heartbeat(lanes_of(of_the_heart, lease=LEASE), every=LEASE / 6)
            with beating(heartbeat), heartbeat.keeping(turn):
                server.kill()
                time.sleep(2 * LEASE)
                server.start()
                eventually(lambda: _is_held(redis, turn))


def _is_held(redis: Redis, turn: Turn) -> bool:
    try:
        check(lanes_of(redis), turn, revision=0, seconds=LEASE / 3)
    except Fenced:
        return False
    return True
