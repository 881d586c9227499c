"""Alerts: each cause is sent once when it begins and once when it ends, by one process, and none is lost."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING

import pytest

from bridge.errors import Unavailable
from bridge.store.operators.alerts import Alerts, Cause
from bridge.store.redis.connection import connect_without_retries
from tests.keys import key
from tests.stored import pass_time

if TYPE_CHECKING:
    from redis import Redis

EVERY = 5.0


def review(redis: Redis, **causes: str) -> None:
    """Review after the minimum time since the last review."""
    pass_time(redis, EVERY)
    assert Alerts(redis).review(starmap(Cause, causes.items()), every=EVERY)


def told(redis: Redis) -> list[tuple[str, str, str]]:
    """Deliver everything."""
    alerts, found = Alerts(redis), []
    while alert := alerts.next():
        found.append((alert.document["cause"], alert.document["state"], alert.document["text"]))
        alerts.delivered(alert)
    return found


def test_a_cause_is_told_once_and_once_more_when_it_is_over(redis: Redis) -> None:
    """It is alerted once while it lasts, and again when it returns."""
    for _ in range(3):
        review(redis, a="A is wrong")
    review(redis, a="A is worse", b="B is wrong")
    assert sorted(told(redis)) == [("a", "begun", "A is wrong"), ("b", "begun", "B is wrong")]
    for _ in range(2):
        review(redis, b="B is wrong")
    assert told(redis) == [("a", "over", "over: A is wrong")]
    review(redis, a="A again")
    assert sorted(told(redis)) == [("a", "begun", "A again"), ("b", "over", "over: B is wrong")]


def waiting(redis: Redis, *, seconds: float = 60.0) -> None:
    """Review a cause that has to last."""
    pass_time(redis, EVERY)
    assert Alerts(redis).review([Cause("slow", "Slow", seconds)], every=EVERY)


def begun_ago(redis: Redis, seconds: float) -> None:
    redis.hincrby(key("alerts", "pending"), "slow", -round(seconds * 1000))


def test_a_cause_that_has_to_last_is_told_when_it_has(redis: Redis) -> None:
    """Each review stores the beginning, and the one after the minimum time sends the alert, once."""
    waiting(redis)
    begun_ago(redis, 59)
    waiting(redis)
    assert told(redis) == []
    begun_ago(redis, 2)
    waiting(redis)
    waiting(redis)
    assert told(redis) == [("slow", "begun", "Slow")]


def test_a_cause_that_passes_in_time_is_never_told(redis: Redis) -> None:
    """Neither its beginning nor its end is alerted; when it returns, it must last long enough again."""
    waiting(redis)
    begun_ago(redis, 59)
    review(redis)
    waiting(redis)
    begun_ago(redis, 59)
    waiting(redis)
    assert told(redis) == []


def test_since_when_a_cause_lasts_is_forgotten_when_nobody_reviews(redis: Redis) -> None:
    """A bridge that was stopped for an hour begins to count when it starts."""
    waiting(redis)
    assert 0 < redis.pttl(key("alerts", "pending")) <= 60_000


def test_one_reviews_at_a_time(redis: Redis) -> None:
    """A second worker's review within the time does nothing."""
    assert Alerts(redis).review([Cause("a", "A")], every=EVERY)
    assert not Alerts(redis).review([], every=EVERY)
    assert [cause for cause, *_ in told(redis)] == ["a"]
    pass_time(redis, EVERY)
    assert Alerts(redis).review([], every=EVERY)


def test_what_is_not_delivered_waits(redis: Redis) -> None:
    """The oldest is the next one until it was delivered."""
    review(redis, a="A")
    review(redis, a="A", b="B")
    alerts = Alerts(redis)
    first = alerts.next()
    assert first
    assert alerts.next() == first
    alerts.delivered(first)
    assert [cause for cause, *_ in told(redis)] == ["b"]


def test_two_who_deliver_the_same_alert_lose_none(redis: Redis) -> None:
    """A slow worker that records its delivery after another one removes nothing else from the list."""
    review(redis, a="A")
    review(redis, a="A", b="B")
    slow, quick = Alerts(redis).next(), Alerts(redis).next()
    assert slow
    assert quick
    Alerts(redis).delivered(quick)
    Alerts(redis).delivered(slow)
    assert [cause for cause, *_ in told(redis)] == ["b"]


def test_undelivered_alerts_are_bounded(redis: Redis) -> None:
    """The newest thousand are stored."""
    review(redis, **{f"c{number}": "x" for number in range(1200)})
    assert redis.llen(key("alerts", "outbox")) == 1000


def test_without_redis_there_are_no_alerts() -> None:
    """Every method reports that Redis can't be reached."""
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        alerts = Alerts(nowhere)
        for call in (lambda: alerts.review([], every=1), alerts.next):
            with pytest.raises(Unavailable):
                call()
