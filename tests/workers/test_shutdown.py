"""Shutdown: turns without a post in progress are given back at once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

import pytest
from celery import Celery

from bridge.errors import Fenced
from bridge.model import ContactId, Lane, MessageId
from bridge.store.redis.connection import connect_without_retries
from tests.stored import HERE, LANE, accept, check, claim, keep, lanes_of, message, part, posted, take
from tests.world import COMPLETE, LIST, opened
from workers.dispatcher import Dispatcher
from workers.heartbeat import Heartbeat
from workers.shutdown import TAKING_SECONDS, Shutdown
from workers.tasks import register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from bridge.model import Turn

OTHER = Lane(HERE, ContactId("other"))


def shutdown_of(redis: Redis, heartbeat: Heartbeat) -> Shutdown:
    lanes = lanes_of(redis)
    dispatcher = Dispatcher(redis, lanes, slots=1, publish=lambda _: None)
    return Shutdown(leaving=Event(), dispatcher=dispatcher, heartbeat=heartbeat, lanes=lanes)


def test_what_is_being_posted_is_not_given_back(redis: Redis) -> None:
    """A turn without a post is another worker's at once and fenced off here; one with a post stays until its end."""
    keep(redis)
    lanes = lanes_of(redis)
    accept(redis, message("m1"), message("m2", "other"))
    taken = {turn.lane: turn for lane in claim(lanes) if (turn := lanes.lease(lane))}
    thinking, posting = taken[LANE], taken[OTHER]
    heartbeat = Heartbeat(lanes, every=1)
    shutdown = shutdown_of(redis, heartbeat)
    with heartbeat.keeping(thinking), heartbeat.keeping(posting):
        with heartbeat.posting(posting):
            assert shutdown.give_back() == 1
            assert heartbeat.is_posting()
            check(lanes, posting, revision=0, seconds=1)
            with pytest.raises(Fenced):
                lanes.sending(thinking, part("0"), revision=0, at_ms=1, channel="SMS")
            again = take(lanes)
            assert (again.id, again.unfinished, again.attempts) == (thinking.id, 1, 0)
        assert not heartbeat.is_posting()
        assert shutdown.give_back() == 1
    check(lanes, again, revision=0, seconds=1)
    assert claim(lanes) == (OTHER,)


def test_a_finished_post_is_written_down_before_it_is_given_back(redis: Redis) -> None:
    """The mark of a post covers the record after it."""
    keep(redis)
    lanes = lanes_of(redis)
    accept(redis, message())
    turn = take(lanes)
    heartbeat = Heartbeat(lanes, every=1)
    with heartbeat.keeping(turn):
        with heartbeat.posting(turn):
            lanes.sending(turn, part("0"), revision=0, at_ms=1, channel="SMS")
            assert shutdown_of(redis, heartbeat).give_back() == 0
            lanes.sent(turn, posted(part("0"), [MessageId("r1")], at_ms=2, how="posted"))
        assert shutdown_of(redis, heartbeat).give_back() == 1
    assert take(lanes).ledger["0"].message_ids == ("r1",)


def test_without_redis_leases_run_out_by_themselves(redis: Redis) -> None:
    """A lane that can't be released does not prevent the end of the process."""
    keep(redis)
    accept(redis, message())
    turn = take(lanes_of(redis))
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        heartbeat = Heartbeat(lanes_of(nowhere), every=1)
        with heartbeat.keeping(turn):
            assert shutdown_of(nowhere, heartbeat).give_back() == 0


def test_a_turn_that_was_just_being_taken_is_given_back_too(redis: Redis) -> None:
    """Its task had checked whether the worker leaves right before it did."""
    keep(redis)
    accept(redis, message())
    turn = take(lanes_of(redis))
    heartbeat = Heartbeat(lanes_of(redis), every=1)
    with ThreadPoolExecutor() as pool:
        leaving = pool.submit(shutdown_of(redis, heartbeat).give_all_back)
        time.sleep(TAKING_SECONDS / 2)
        with heartbeat.keeping(turn):
            assert leaving.result() == 1
    assert claim(lanes_of(redis)) == (LANE,)


class Leaving(Heartbeat):
    """A heartbeat whose process stops right after the mark of a post is removed."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(lanes_of(redis), every=1)
        self._shutdown = shutdown_of(redis, self)
        self.given_back = 0

    @contextmanager
    def posting(self, turn: Turn) -> Iterator[None]:
        """Mark a post, and stop as soon as it is over."""
        with super().posting(turn):
            yield
        if not self.is_posting():
            self.given_back += self._shutdown.give_back()


def test_what_was_posted_is_known_to_be_there_after_a_shutdown(redis: Redis) -> None:
    """A shutdown waits until GHL's answer is recorded, so that no second post depends on GHL's list."""
    with opened(redis) as world:
        world.keep(takeover_seconds=0, history_messages=0)
        leaving = Leaving(redis)
        world.heartbeat = leaving
        world.write()
        world.work()
        world.heartbeat = Heartbeat(lanes_of(redis), every=1)
        if leaving.given_back:
            world.work()
        assert (world.status(), world.posts(), world.asked(LIST)) == (("replied", ""), ["answer 1"], [])
        assert not leaving.is_posting()


def test_a_worker_that_leaves_takes_nothing_on(redis: Redis) -> None:
    """A wake-up that it still gets goes to another worker at once: no second completion, and no wait."""
    with opened(redis) as world:
        world.keep()
        leaving = Event()
        answer = register(app := Celery(set_as_current=False), world.services(), leaving)
        leaving.set()
        world.write()
        assert claim(lanes_of(redis)) == (LANE,)
        app.tasks[answer.task](str(LANE))
        assert (world.asked(COMPLETE), claim(lanes_of(redis))) == ([], (LANE,))
