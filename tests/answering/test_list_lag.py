"""A send of unknown outcome while GHL's list is late."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from bridge.policy.list_lag import LONGEST_MS
from bridge.store.figures.list_lags import ListLags
from tests.keys import key
from tests.stored import HERE, pass_time
from tests.world import LIST, POST, SEARCH, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from tests.world import World


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        world.keep(takeover_seconds=0, history_messages=0)
        yield world


def lose(world: World) -> None:
    """Let a post end without a readable answer, and let the time of the only look come."""
    world.refusing[POST] = 500
    world.write()
    world.work(readback=(0.0,))
    world.refusing.clear()
    look_again(world)


def look_again(world: World, seconds: float = 2) -> None:
    """Let time pass, and look again."""
    pass_time(world.redis, seconds)
    time.sleep(0.02)
    world.work(readback=(0.0,))


def test_a_list_without_the_contacts_own_message_proves_nothing(world: World) -> None:
    """If the answered message is not listed yet, the reply may be missing too: the next look finds it."""
    world.late = True
    lose(world)
    assert (world.status()[0], len(world.posts()), world.asked(SEARCH)) == ("retrying", 1, [])
    assert world.events()[-1].details["why"] == "not in the conversation, and GHL lists late"
    world.late = False
    world.listed = [world.row("answer 1", "g1")]
    look_again(world, 60)
    assert (world.status(), len(world.posts())) == (("replied", ""), 1)


def test_a_list_that_is_in_time_is_believed(world: World) -> None:
    """GHL lists the contact's message and not the reply: it is posted again, after one search for other conversations."""
    lose(world)
    assert (world.status(), len(world.posts()), len(world.asked(LIST)), len(world.asked(SEARCH))) == (("replied", ""), 2, 1, 1)
    assert not world.redis.exists(key("lag", HERE))


def test_a_list_that_stays_behind_is_a_dead_letter_that_says_so(world: World) -> None:
    """If a message is missing for minutes, waiting does not help; the reply is not posted a second time."""
    world.late = True
    lose(world)
    world.redis.hset(key("lag", HERE), mapping={"missing": 1, "listed": 0})
    for row in world.written:
        row["dateAdded"] -= LONGEST_MS
    waiting = world.redis.lrange(key("waiting", f"{HERE}:contact"), 0, -1)
    for id_ in waiting:
        name = key("message", HERE, str(id_))
        body = str(world.redis.hget(name, "body"))
        old = str(world.written[-1]["dateAdded"] + LONGEST_MS)
        world.redis.hset(name, "body", body.replace(old, str(world.written[-1]["dateAdded"] - 1000)))
    look_again(world, 30)
    assert (world.status()[0], len(world.posts())) == ("dead", 1)
    assert "still lacks a message" in str(world.redis.hget(key("message", HERE, "m1"), "error"))


def test_what_was_measured_is_kept_for_the_location(world: World) -> None:
    """The lag is between the age at which a message was missing and the age at which it was listed."""
    world.late = True
    lose(world)
    world.late = False
    world.listed = [world.row("answer 1", "g1")]
    look_again(world, 60)
    lag = ListLags(world.redis).get(HERE)
    assert 0 < lag.missing < lag.listed
    assert lag.ms == lag.listed


@pytest.mark.parametrize("behind", [0, 120])
def test_a_difference_of_the_clocks_is_no_lag(world: World, behind: int) -> None:
    """The contact's messages have GHL's times: their age is measured with GHL's clock, whatever ours shows."""
    world.behind, world.late = behind, True
    lose(world)
    assert ListLags(world.redis).get(HERE).missing < 20_000


def test_what_is_on_another_page_is_not_missing_though_it_looks_newer(world: World) -> None:
    """Our clock was ahead when the first reply got its time; now the page is long enough without it."""
    world.keep(takeover_seconds=0, history_messages=10)
    world.write("m1")
    world.work()
    lane_said = key("said", f"{HERE}:contact")
    reply = next(said for said in map(str, world.redis.zrange(lane_said, 0, -1)) if "answer 1" in said)
    world.redis.zincrby(lane_said, 60_000, reply)
    world.refusing[POST] = 500
    world.write("m2")
    world.listed = [dict(world.written[0]), world.row("Hello", "g0", dateAdded=world.written[0]["dateAdded"] - 3_600_000)]
    world.written.clear()
    world.endless = True
    world.work(readback=(0.0,))
    world.refusing.clear()
    look_again(world)
    assert (world.status("m2"), world.redis.exists(key("lag", HERE))) == (("replied", ""), 0)
