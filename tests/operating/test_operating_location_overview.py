"""`locations overview`: only the data of one location."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import NotKnown
from bridge.model import Again, ContactId, Ended, Lane, LocationId, MessageId, Reason, Status
from bridge.operating.location_overview import LocationOverviewQuery, overview
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.receiver.console.test_console_pages import dead_lettered
from tests.stored import accept, keep, lanes_of, message, take

if TYPE_CHECKING:
    from redis import Redis

    from bridge.operating.location_overview import LocationOverview
    from bridge.operating.operation import Operations


def lane(location: str, contact: str) -> Lane:
    return Lane(LocationId(location), ContactId(contact))


@pytest.fixture
def filled(redis: Redis) -> None:
    """Two locations with work, and a live worker."""
    keep(redis, "here", "there")
    lanes = lanes_of(redis)
    for location in ("here", "there"):
        accept(redis, message("m1", "replied", location))
        lanes.end(take(lanes, lane(location, "replied")), Ended(status=Status.REPLIED, message_ids=(MessageId("m1"),)))
        accept(redis, message("m2", "skipped", location))
        lanes.end(
            take(lanes, lane(location, "skipped")),
            Ended(status=Status.SKIPPED, message_ids=(MessageId("m2"),), reason=Reason.DND, facts="dnd is on"),
        )
    accept(redis, message("m3", "failed", "here"))
    lanes.again(take(lanes, lane("here", "failed")), (MessageId("m3"),), Again(wait=3000, why="HTTP 500"))
    accept(redis, message("m4", "working", "here"))
    take(lanes, lane("here", "working"))
    dead_lettered(redis, 2, "here")
    dead_lettered(redis, 3, "there")


def see(perform: Operations, location: str) -> LocationOverview:
    return perform(overview, LocationOverviewQuery(location))


@pytest.mark.usefixtures("filled")
def test_a_location_is_told_of_alone(perform: Operations) -> None:
    """It has conversations in work, dead letters, and messages by their outcome."""
    here, there = see(perform, "here"), see(perform, "there")
    assert (here.waiting, here.answering, here.retrying, here.dead_letters) == (1, 1, 1, 2)
    assert (there.waiting, there.answering, there.retrying, there.dead_letters) == (0, 0, 0, 3)
    assert here.messages == {"replied": 1, "delivered_by_provider": 0, "no_reply": 0, "skipped": 1, "dead": 0}


@pytest.mark.usefixtures("filled")
def test_what_needs_somebody_is_its_own(perform: Operations, redis: Redis) -> None:
    """A hold, a reply limit or missed webhooks of another location are not shown."""
    redis.sadd(key("holds"), "there")
    redis.hset(key("location", "there"), mapping={"hold": 1, "hold_why": "ghl"})
    redis.zadd(key("capped"), {"there:contact": now_ms(redis)})
    redis.sadd(key("missed"), "there")
    redis.set(key("turned_away", str(now_ms(redis) // 60_000)), 50)
    assert [each.cause for each in see(perform, "here").troubles] == ["dead_letters"]
    told = see(perform, "there").troubles
    assert {each.cause for each in told} == {"hold:there", "dead_letters", "missed:there", "reply_cap"}
    assert "3 dead letters need" in next(each.says for each in told if each.cause == "dead_letters")


@pytest.mark.usefixtures("filled")
def test_a_held_location_is_not_overdue(perform: Operations, redis: Redis) -> None:
    """Its conversations wait for the end of the hold."""
    redis.zadd(key("due", "here"), {"failed": now_ms(redis) - 300_000})
    assert see(perform, "here").oldest_overdue_seconds >= 300
    redis.sadd(key("holds"), "here")
    held = see(perform, "here")
    assert (held.oldest_overdue_seconds, held.held, held.waiting) == (0, 2, 0)


def test_an_unknown_location_has_no_overview(perform: Operations) -> None:
    """It is an error."""
    with pytest.raises(NotKnown):
        see(perform, "nowhere")
