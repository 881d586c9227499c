"""The server's clock jumps back: times beyond any wait are corrected, and the others stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.store.redis.connection import now_ms
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import keys, prefix_of
from tests.keys import key
from tests.stored import LANE, LONG, accept, claim, due_ms, keep, lanes_of, message

if TYPE_CHECKING:
    from redis import Redis

HOUR = 3_600_000
# The call itself takes its time, and so does a loaded machine.
ABOUT_MS = 5_000


@pytest.fixture
def jumped(redis: Redis) -> Redis:
    """A Redis with a lane that waits a minute by a clock that was an hour ahead, and a claim by that clock."""
    keep(redis)
    accept(redis, message())
    claim(lanes_of(redis))
    ahead = now_ms(redis) + HOUR
    for name in keys("claimed"):
        redis.set(name, ahead)
    redis.hset(key("lane", str(LANE)), mapping={"not_before": ahead + 60_000, "lease_until": ahead + 60_000})
    for name in (key("due", LANE.location_id), key("inflight", LANE.location_id)):
        redis.zadd(name, {LANE.contact_id if "due" in name else str(LANE): ahead + 60_000})
    redis.zadd(key("due"), {LANE.location_id: ahead + 60_000})
    redis.zadd(key("inflight"), {str(LANE): ahead + 60_000})
    redis.zadd(key("workers"), {"dead:5": ahead + 60_000})
    redis.zadd(key("budget", LANE.location_id), {"request": ahead})
    redis.set(key("busy", LANE.location_id), 1, px=HOUR + 60_000)
    return redis


def test_waits_last_as_long_as_was_meant(jumped: Redis) -> None:
    """A lane, its lease, its slot and its location are due in a minute again, and not in an hour and a minute."""
    claim(lanes_of(jumped))
    in_a_minute = now_ms(jumped) + 60_000
    lane = jumped.hmget(key("lane", str(LANE)), "not_before", "lease_until")
    slot, worker = jumped.zscore(key("inflight"), str(LANE)), jumped.zscore(key("workers"), "dead:5")
    found = [due_ms(jumped), *(float(str(moment)) for moment in lane), slot, worker]
    assert all(moment and abs(moment - in_a_minute) < ABOUT_MS for moment in found), (found, in_a_minute)
    assert abs(jumped.pttl(key("busy", LANE.location_id)) - 60_000) < ABOUT_MS
    assert jumped.zcard(key("budget", LANE.location_id)) == 0


def test_a_jump_is_put_right_once(jumped: Redis) -> None:
    """The next claim, with a clock that goes forward, changes nothing."""
    claim(lanes_of(jumped))
    once = due_ms(jumped)
    claim(lanes_of(jumped))
    assert due_ms(jumped) == once


def test_a_clock_that_goes_forward_moves_nothing(redis: Redis) -> None:
    """A wait of hours between two claims with a correct clock stays the same."""
    keep(redis, debounce=3600.0, most=3600.0)
    accept(redis, message())
    before = due_ms(redis)
    for _ in range(3):
        claim(lanes_of(redis, lease=LONG))
    assert due_ms(redis) == before


def test_a_message_of_a_future_that_never_was_waits_for_its_quiet_only(redis: Redis) -> None:
    """If its time is computed again, a lane whose message is dated in the future is due after the debounce."""
    keep(redis, debounce=2.0)
    accept(redis, message("m1"))
    redis.hset(key("message", LANE.location_id, "m1"), "at", now_ms(redis) + HOUR)
    redis.register_script(script("reconsider"))(keys=[prefix_of(LANE)], args=[LANE.location_id, 0, 100])
    due = due_ms(redis)
    assert due
    assert due - now_ms(redis) <= 2_000
