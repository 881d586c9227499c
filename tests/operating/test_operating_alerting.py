"""Alerting: problems become alerts at the operator's address, in order, however long that takes."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bridge.operating.alerting import Alerting, build_alerting
from bridge.policy.business_hours import ALWAYS
from bridge.settings import from_environment
from bridge.store.redis.connection import now_ms
from bridge.wire.calls import Wire
from tests.keys import key
from tests.other_side import OtherSide, Visit, answering, http
from tests.stored import HERE, eventually, keep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from bridge.policy.business_hours import Hours


@contextmanager
def running(redis: Redis, url: str, quiet: Hours | None = None) -> Iterator[Alerting]:
    alerting = Alerting(redis, Wire(), url=url, quiet=quiet, every=0.02)
    thread = threading.Thread(target=alerting.run)
    thread.start()
    try:
        yield alerting
    finally:
        alerting.stop()
        thread.join(10)
    assert not thread.is_alive()


def begin_hold(redis: Redis) -> None:
    keep(redis)
    redis.hset(key("location", HERE), mapping={"hold": now_ms(redis), "hold_why": "ghl"})
    redis.sadd(key("holds"), HERE)


def test_the_operator_is_told_and_told_when_it_is_over(redis: Redis) -> None:
    """A hold is posted once when it begins, by one of two processes, and once when it ends."""
    begin_hold(redis)
    with OtherSide(answering(http(200))) as receiver, running(redis, receiver.url), running(redis, receiver.url):
        eventually(lambda: receiver.requests)
        threading.Event().wait(0.2)
        redis.srem(key("holds"), HERE)
        eventually(lambda: len(receiver.requests) == 2)
        threading.Event().wait(0.1)
    told = [request.document for request in receiver.requests]
    assert [(one["cause"], one["state"]) for one in told] == [("hold:here", "begun"), ("hold:here", "over")]
    assert "GHL refused three logins" in told[0]["text"]


def test_a_slow_receiver_is_told_once(redis: Redis) -> None:
    """While one process posts, no other does, however long the receiver takes."""
    begin_hold(redis)
    answered = threading.Event()

    def slowly(visit: Visit) -> None:
        while visit.request():
            answered.wait(10)
            visit.send(http(200))

    with OtherSide(slowly) as receiver, running(redis, receiver.url), running(redis, receiver.url):
        eventually(lambda: receiver.requests)
        redis.delete(key("upkeep"))
        eventually(lambda: redis.exists(key("upkeep")))
        answered.set()
        eventually(lambda: not redis.exists(key("alerts", "outbox")))
    assert [request.document["cause"] for request in receiver.requests] == ["hold:here"]


def test_what_is_refused_is_posted_again(redis: Redis) -> None:
    """If an address answers 500, or not at all, it gets the alert when it works again."""
    begin_hold(redis)
    with OtherSide(answering(http(500), http(500), http(204))) as receiver, running(redis, receiver.url):
        eventually(lambda: not redis.exists(key("alerts", "outbox")) and len(receiver.requests) >= 3)
    assert {request.document["cause"] for request in receiver.requests} == {"hold:here"}


def test_an_address_that_nobody_serves_ends_nothing(redis: Redis) -> None:
    """If nobody listens at the address, the alert waits, and the thread lives on."""
    begin_hold(redis)
    with running(redis, "http://127.0.0.1:1"):
        eventually(lambda: redis.llen(key("alerts", "outbox")) == 1)
        threading.Event().wait(0.1)
    assert redis.llen(key("alerts", "outbox")) == 1


def test_without_an_address_nobody_is_told(redis: Redis) -> None:
    """Without an address nothing is reviewed."""
    begin_hold(redis)
    Alerting(redis, Wire(), url="", every=0.01).run()
    assert not redis.exists(key("alerts"))


def test_many_of_a_kind_are_one_post(redis: Redis) -> None:
    """Fifty simultaneous holds are one post, and their ends are another."""
    ids = [f"location{number}" for number in range(50)]
    keep(redis, *ids)
    redis.sadd(key("holds"), *ids)
    with OtherSide(answering(http(200))) as receiver, running(redis, receiver.url):
        eventually(lambda: len(receiver.requests) == 1)
        redis.delete(key("holds"))
        eventually(lambda: len(receiver.requests) == 2)
    begun, over = [request.document for request in receiver.requests]
    assert (begun["cause"], begun["state"], len(begun["alerts"])) == ("hold", "begun", 50)
    assert (over["state"], {one["cause"] for one in over["alerts"]}) == ("over", {f"hold:{id_}" for id_ in ids})


def test_in_quiet_hours_only_what_is_critical_is_posted(redis: Redis) -> None:
    """Dead letters wait for the morning; a location on hold does not."""
    begin_hold(redis)
    redis.zadd(key("dead"), {"one": now_ms(redis)})
    with OtherSide(answering(http(200))) as receiver:
        with running(redis, receiver.url, quiet=ALWAYS):
            eventually(lambda: receiver.requests)
            eventually(lambda: redis.hexists(key("alerts", "pending"), "dead_letters"))
            redis.srem(key("holds"), HERE)
            threading.Event().wait(0.2)
        assert [request.document["cause"] for request in receiver.requests] == ["hold:here"]
        redis.delete(key("alerts", "delivering"))
        with running(redis, receiver.url):
            eventually(lambda: len(receiver.requests) == 3)
    told = {(request.document["cause"], request.document["state"]) for request in receiver.requests[1:]}
    assert told == {("dead_letters", "begun"), ("hold:here", "over")}


def test_settings_choose_form_and_quiet_hours(redis_url: str, redis: Redis) -> None:
    """Quiet hours are in the agency's time zone."""
    begin_hold(redis)
    redis.zadd(key("dead"), {"one": now_ms(redis)})
    with OtherSide(answering(http(200))) as receiver:
        environ = {"REDIS_URL": redis_url, "BRIDGE_ALERT_URL": receiver.url, "BRIDGE_ALERT_FORM": "discord"}
        build_alerting(from_environment({**environ, "BRIDGE_QUIET_HOURS": "00:00-24:00"})).once()
        redis.delete(key("upkeep"), key("alerts", "delivering"))
        assert [request.document["content"][:13] for request in receiver.requests] == ["Location here"]
        build_alerting(from_environment(environ)).once()
        assert len(receiver.requests) == 2
