"""Alerts: each cause is told once when it begins and once when it is over, by one worker, and none is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import Unavailable
from bridge.metrics import WEBHOOKS, Tally
from bridge.model import ContactId, Dead, Ended, Lane, Reason, Status
from bridge.store.alerts import Alerts, Troubles
from bridge.store.connection import connect_without_retries, key, now_ms, text
from bridge.store.counts import Counts
from tests.stored import HERE, accept, keep, lanes_of, message, pass_time, take

if TYPE_CHECKING:
    from redis import Redis

EVERY = 5.0


def review(redis: Redis, **causes: str) -> None:
    """Review when the one before is no longer the only one allowed."""
    pass_time(redis, EVERY)
    assert Alerts(redis).review(causes, every=EVERY)


def told(redis: Redis) -> list[tuple[str, str, str]]:
    """Deliver everything."""
    alerts, found = Alerts(redis), []
    while alert := alerts.next():
        found.append((alert.document["cause"], alert.document["state"], alert.document["text"]))
        alerts.delivered(alert)
    return found


def test_a_cause_is_told_once_and_once_more_when_it_is_over(redis: Redis) -> None:
    """However often it is seen meanwhile, and again when it comes back."""
    for _ in range(3):
        review(redis, a="A is wrong")
    review(redis, a="A is worse", b="B is wrong")
    assert sorted(told(redis)) == [("a", "begun", "A is wrong"), ("b", "begun", "B is wrong")]
    for _ in range(2):
        review(redis, b="B is wrong")
    assert told(redis) == [("a", "over", "over: A is wrong")]
    review(redis, a="A again")
    assert sorted(told(redis)) == [("a", "begun", "A again"), ("b", "over", "over: B is wrong")]


def test_one_reviews_at_a_time(redis: Redis) -> None:
    """A second worker's review within the time is none, and changes nothing."""
    assert Alerts(redis).review({"a": "A"}, every=EVERY)
    assert not Alerts(redis).review({}, every=EVERY)
    assert [cause for cause, *_ in told(redis)] == ["a"]
    pass_time(redis, EVERY)
    assert Alerts(redis).review({}, every=EVERY)


def test_what_is_not_delivered_waits(redis: Redis) -> None:
    """The oldest is the next one until it has reached its receiver."""
    review(redis, a="A")
    review(redis, a="A", b="B")
    alerts = Alerts(redis)
    first = alerts.next()
    assert first
    assert alerts.next() == first
    alerts.delivered(first)
    assert [cause for cause, *_ in told(redis)] == ["b"]


def test_two_who_deliver_the_same_alert_lose_none(redis: Redis) -> None:
    """A slow worker that notes its delivery after another one did takes nothing else off the list."""
    review(redis, a="A")
    review(redis, a="A", b="B")
    slow, quick = Alerts(redis).next(), Alerts(redis).next()
    assert slow
    assert quick
    Alerts(redis).delivered(quick)
    Alerts(redis).delivered(slow)
    assert [cause for cause, *_ in told(redis)] == ["b"]


def test_undelivered_alerts_are_bounded(redis: Redis) -> None:
    """The newest thousand are kept."""
    review(redis, **{f"c{number}": "x" for number in range(1200)})
    assert redis.llen(key("alerts", "outbox")) == 1000


def test_nothing_is_wrong_with_an_idle_bridge(redis: Redis) -> None:
    """No hold, no dead letter, nothing overdue."""
    keep(redis)
    assert Alerts(redis).look() == Troubles({}, 0, 0.0)


def test_troubles_are_seen(redis: Redis) -> None:
    """Locations on hold with the side that refused, open dead letters, and the oldest lane even in a backlog that is served."""
    keep(redis, HERE, "there")
    lanes = lanes_of(redis)
    for number in range(3):
        accept(redis, message(f"m{number}", f"c{number}"))
        turn = take(lanes, Lane(HERE, ContactId(f"c{number}")))
        lanes.bury(turn, [turn.messages[0].id], Dead(error="no", refused="provider"), answer=None, at_ms=1)
    accept(redis, *(message(f"x{number}", f"x{number}", location="there") for number in range(3)))
    pass_time(redis, 100)
    lanes.claim("w", slots=1, alive_seconds=10, most=1)
    found = Alerts(redis).look()
    assert (found.holds, found.dead_letters) == ({HERE: "provider"}, 3)
    assert found.oldest_overdue_seconds == pytest.approx(100, abs=5)
    assert now_ms(redis) - float(redis.zscore(key("due"), "there") or 0) < 5000


def test_without_redis_there_are_no_alerts() -> None:
    """Every method says that Redis can't be reached."""
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        alerts = Alerts(nowhere)
        for call in (alerts.look, lambda: alerts.review({}, every=1), alerts.next):
            with pytest.raises(Unavailable):
                call()


def test_refused_webhooks_count_for_ten_minutes(redis: Redis) -> None:
    """Signatures and secrets alike, whichever process turned them away; what was too large is another matter."""
    tally = Tally()
    for _ in range(3):
        tally.count(WEBHOOKS, "unauthorized", "")
    tally.count(WEBHOOKS, "too_large", "")
    Counts(redis).add(tally)
    assert Alerts(redis).look().refused_webhooks == 3
    for name in redis.scan_iter(key("turned_away", "*")):
        minute = int(text(name).rpartition(":")[2])
        redis.rename(name, key("turned_away", str(minute - 10)))
    assert Alerts(redis).look().refused_webhooks == 0


def test_a_conversation_at_its_cap_is_a_trouble_for_an_hour(redis: Redis) -> None:
    """The lane is named, so that one look tells which conversation it is."""
    keep(redis)
    accept(redis, message())
    turn = take(lanes_of(redis))
    ended = Ended(status=Status.SKIPPED, message_ids=(turn.messages[0].id,), reason=Reason.REPLY_CAP, facts="50 replies")
    lanes_of(redis).end(turn, ended)
    assert Alerts(redis).look().capped == (str(turn.lane),)
    pass_time(redis, 3601)
    assert Alerts(redis).look().capped == ()
