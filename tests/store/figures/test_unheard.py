"""Claims without a turn: the lane stays overdue until a worker begins its turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.store.figures.gauges import measure
from tests.keys import key
from tests.stored import accept, claim, keep, lanes_of, message, pass_time, take
from workers.unheard import PATIENCE_SECONDS, UnheardClaims

if TYPE_CHECKING:
    from redis import Redis


def test_a_claim_that_nobody_hears_makes_no_lane_younger(redis: Redis) -> None:
    """However often it is claimed again, it counts as overdue since it was due, until its turn begins."""
    keep(redis)
    accept(redis, message("m1"))
    lanes = lanes_of(redis, lease=30)
    for _ in range(3):
        assert len(claim(lanes)) == 1
        pass_time(redis, 31)
    assert measure(redis).unheard_ms == pytest.approx(93_000, abs=3000)
    assert measure(redis).overdue_ms == pytest.approx(93_000, abs=3000)
    take(lanes)
    assert (measure(redis).unheard_ms, measure(redis).overdue_ms) == (0, 0)


def test_what_is_erased_or_on_hold_is_not_waited_for(redis: Redis) -> None:
    """A location on hold begins no turn, and an erased lane never will."""
    keep(redis)
    accept(redis, message("m1"))
    claim(lanes_of(redis, lease=30))
    pass_time(redis, 31)
    redis.sadd(key("holds"), "here")
    assert measure(redis).unheard_ms == 0
    redis.srem(key("holds"), "here")
    redis.delete(key("due", "here"))
    assert measure(redis).unheard_ms == 0


def test_the_dispatcher_says_it_once(redis: Redis, capsys: pytest.CaptureFixture[str]) -> None:
    """It logs the beginning and the end once each, however often it looks."""
    keep(redis)
    accept(redis, message("m1"))
    lanes = lanes_of(redis, lease=30)
    claim(lanes)
    moments = iter(range(0, 1000, 10))
    unheard = UnheardClaims(redis, clock=lambda: float(next(moments)))
    unheard.tell()
    assert "dispatcher.unheard" not in capsys.readouterr().out
    pass_time(redis, PATIENCE_SECONDS + 1)
    for _ in range(3):
        unheard.tell()
    assert capsys.readouterr().out.count("dispatcher.unheard") == 1
    pass_time(redis, 30)
    take(lanes)
    for _ in range(3):
        unheard.tell()
    assert capsys.readouterr().out.count("dispatcher.heard") == 1
