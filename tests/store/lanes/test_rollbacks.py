"""How a rollback is noticed: by another run of the server, a lost write, or a time without any worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.model import ConversationId, MessageId, OutboundMessage
from bridge.store.figures.rollbacks import last_rollback
from bridge.store.locations.sweeps import Sweeps
from bridge.store.redis.connection import connect, now_ms
from tests.keys import key
from tests.stored import HERE, LANE, claim, eventually, keep, lanes_of, message, own_redis, standings_of
from tests.stored import accept as accepted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis


def went_back(redis: Redis) -> tuple[bool, bool]:
    """Whether lanes look into GHL, and whether an operator is told."""
    return bool(redis.hget(key("rollback"), "at")), last_rollback(redis, now_ms(redis)) is not None


@pytest.fixture
def swept_later(redis: Redis) -> Iterator[None]:
    """A location whose next sweep is far away."""
    keep(redis, reconcile_minutes=60)
    redis.zadd(key("sweeps"), {HERE: now_ms(redis) + 1_000_000})
    yield
    assert (redis.zscore(key("sweeps"), HERE) or 0) <= now_ms(redis)


@pytest.mark.one_server("each partition of a cluster notices its own lost writes (tests/store/redis/test_cluster.py)")
@pytest.mark.usefixtures("swept_later")
def test_a_worker_that_misses_its_own_claim_knows_that_writes_are_lost(redis: Redis) -> None:
    """Lanes look into GHL, an operator is told, and the sweep runs at once."""
    lanes = lanes_of(redis)
    claim(lanes)
    (mine,) = redis.scan_iter(key("wrote", "*"))
    claim(lanes)
    redis.set(mine, 1)
    assert went_back(redis) == (False, False)
    claim(lanes)
    assert went_back(redis) == (True, True)


@pytest.mark.one_server("each partition of a cluster notices its own lost writes (tests/store/redis/test_cluster.py)")
@pytest.mark.usefixtures("swept_later")
def test_a_receiver_that_misses_its_own_heartbeat_knows_it_too(redis: Redis) -> None:
    """This works without a worker too."""
    sweeps = Sweeps(redis)
    sweeps.beat()
    (mine,) = redis.scan_iter(key("wrote", "*"))
    redis.delete(mine)
    sweeps.beat()
    assert went_back(redis) == (True, True)


def test_what_was_not_answered_may_be_there_or_not(redis: Redis) -> None:
    """A claim whose answer was lost is not a confirmed write, so its presence or absence says nothing."""
    lanes = lanes_of(redis)
    claim(lanes)
    (mine,) = redis.scan_iter(key("wrote", "*"))
    redis.set(mine, 2)
    claim(lanes)
    assert went_back(redis) == (False, False)


@pytest.mark.usefixtures("swept_later")
def test_a_time_without_workers_makes_lanes_look_and_tells_nobody(redis: Redis) -> None:
    """The state may have been changed meanwhile without a trace."""
    claim(lanes_of(redis))
    redis.set(key("claimed"), now_ms(redis) - 61_000)
    claim(lanes_of(redis))
    assert went_back(redis) == (True, False)


def test_several_who_miss_writes_notice_one_loss(redis: Redis) -> None:
    """The time stays the same; otherwise lanes would look again for each process."""
    both = [lanes_of(redis), lanes_of(redis)]
    for lanes in both:
        claim(lanes)
    for mine in redis.scan_iter(key("wrote", "*")):
        redis.delete(mine)
    seen = []
    for lanes in both:
        claim(lanes)
        seen.append(redis.hgetall(key("rollback")))
    assert seen[0] == seen[1]


def test_another_run_of_the_server_makes_lanes_look_and_tells_nobody(tmp_path: Path) -> None:
    """The first lease after a restart notices it, before anything else is done; a lane that begins later need not look."""
    with own_redis(tmp_path) as server:
        with connect(server.url) as redis:
            keep(redis)
            accepted(redis, message())
            claim(lanes_of(redis, lease=1))
        server.kill()
        server.start()
        with connect(server.url) as redis:
            turn = lanes_of(redis).lease(LANE)
            assert turn
            assert turn.rollback
            assert not turn.rollback.certain
            assert went_back(redis) == (True, False)
            later = message("m2", contact="later", date_added_ms=now_ms(redis) + 30_000)
            accepted(redis, later)
            lanes = lanes_of(redis)
            eventually(lambda: later.lane in claim(lanes))
            fresh = lanes.lease(later.lane)
            assert fresh
            assert fresh.rollback is None


def test_an_event_finds_out_that_the_server_is_another_one(tmp_path: Path) -> None:
    """The event of a forgotten reply may come before any claim, and is no takeover."""
    with own_redis(tmp_path) as server:
        with connect(server.url) as redis:
            keep(redis)
            accepted(redis, message())
            claim(lanes_of(redis))
            at = now_ms(redis)
        server.kill()
        server.start()
        with connect(server.url) as redis:
            ids: dict[str, Any] = {
                "location_id": LANE.location_id,
                "contact_id": LANE.contact_id,
                "conversation_id": ConversationId("c"),
            }
            reply = OutboundMessage(id=MessageId("o1"), type="TYPE_SMS", text="Hello", date_added_ms=at, **ids)
            assert standings_of(redis).observe(LANE, [reply]) == 0
            assert not redis.hexists(key("standing", str(LANE)), "human_at")
