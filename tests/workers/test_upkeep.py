"""Upkeep: troubles become alerts that reach the operator's address, in order, however long that takes."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bridge.store.alerts import Alerts, Troubles
from bridge.store.circuits import Down
from bridge.store.connection import key, now_ms
from bridge.wire.calls import Wire
from tests.other_side import OtherSide, answering, http
from tests.stored import HERE, eventually, keep
from workers.upkeep import OVERDUE_SECONDS, Upkeep, name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis


@contextmanager
def running(redis: Redis, url: str) -> Iterator[Upkeep]:
    upkeep = Upkeep(Alerts(redis), Wire(), url=url, every=0.02)
    thread = threading.Thread(target=upkeep.run)
    thread.start()
    try:
        yield upkeep
    finally:
        upkeep.stop()
        thread.join(10)
    assert not thread.is_alive()


def begin_hold(redis: Redis) -> None:
    keep(redis)
    redis.hset(key("location", HERE), mapping={"hold": now_ms(redis), "hold_why": "ghl"})
    redis.sadd(key("holds"), HERE)


@pytest.mark.parametrize(
    ("troubles", "causes"),
    [
        (Troubles({}, 0, 0.0), []),
        (Troubles({}, 0, OVERDUE_SECONDS), []),
        (Troubles({}, 0, OVERDUE_SECONDS + 1), ["overdue"]),
        (Troubles({}, 7, 0.0), ["dead_letters"]),
        (Troubles({}, 0, 0.0, missed=("here", "there")), ["missed:here", "missed:there"]),
        (Troubles({}, 0, 0.0, refused_webhooks=4), []),
        (Troubles({}, 0, 0.0, refused_webhooks=5), ["signatures_refused"]),
        (Troubles({}, 0, 0.0, capped=("here:contact",)), ["reply_cap"]),
        (Troubles({}, 0, 0.0, down={"agencii-1": Down("agencii", "here", 1, 7)}), ["provider:agencii-1"]),
        (Troubles({"here": "ghl", "there": "provider"}, 1, 99.0), ["hold:here", "hold:there", "dead_letters", "overdue"]),
    ],
)
def test_each_trouble_is_a_cause(troubles: Troubles, causes: list[str]) -> None:
    """Every cause has a sentence that says what to do about it."""
    named = name(troubles)
    assert list(named) == causes
    assert all("`ghl-bridge " in text for text in named.values())


def test_the_operator_is_told_and_told_when_it_is_over(redis: Redis) -> None:
    """A hold is posted once as it begins, by whichever of two workers, and once when it ends."""
    begin_hold(redis)
    with OtherSide(answering(http(200))) as receiver, running(redis, receiver.url), running(redis, receiver.url):
        eventually(lambda: receiver.requests)
        threading.Event().wait(0.2)
        redis.srem(key("holds"), HERE)
        eventually(lambda: len(receiver.requests) == 2)
        threading.Event().wait(0.1)
    told = [request.document for request in receiver.requests]
    assert [(one["cause"], one["state"]) for one in told] == [("hold:here", "begun"), ("hold:here", "over")]
    assert "ghl refused three logins" in told[0]["text"]


def test_what_is_refused_is_posted_again(redis: Redis) -> None:
    """An address that answers 500, or not at all, gets the alert when it works again."""
    begin_hold(redis)
    with OtherSide(answering(http(500), http(500), http(204))) as receiver, running(redis, receiver.url):
        eventually(lambda: not redis.exists(key("alerts", "outbox")) and len(receiver.requests) >= 3)
    assert {request.document["cause"] for request in receiver.requests} == {"hold:here"}


def test_an_address_that_nobody_serves_ends_nothing(redis: Redis) -> None:
    """The alert waits, and the thread lives."""
    begin_hold(redis)
    with running(redis, "http://127.0.0.1:1"):
        eventually(lambda: redis.llen(key("alerts", "outbox")) == 1)
        threading.Event().wait(0.1)
    assert redis.llen(key("alerts", "outbox")) == 1


def test_without_an_address_nobody_is_told(redis: Redis) -> None:
    """Then there is nothing to review either."""
    begin_hold(redis)
    Upkeep(Alerts(redis), Wire(), url="", every=0.01).run()
    assert not redis.exists(key("alerts"))
