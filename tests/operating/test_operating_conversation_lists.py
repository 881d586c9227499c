"""Lists of conversations: the content of each filter, its order and pages, and entries of an older version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import WrongInput
from bridge.model import Again, Dead, Ended, Lane, MessageId, Reason, Status
from bridge.operating.conversation_lists import ConversationsQuery, list_
from bridge.store.operators import conversation_lists
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.stored import HERE, accept, claim, keep, lanes_of, locations_of, message, pass_time

if TYPE_CHECKING:
    from redis import Redis

    from bridge.operating.operation import Operations

SKIPPED = {"status": Status.SKIPPED, "reason": Reason.DND}


def come(redis: Redis, contact: str, location: str = HERE, *, ago: float = 0.0, **fields: Any) -> Lane:
    """A message of a contact that arrived `seconds` ago."""
    at = now_ms(redis) - round(ago * 1000)
    one = message(f"m-{contact}-{at}", contact, location, **{"date_added_ms": at, **fields})
    accept(redis, one)
    return one.lane


def end(redis: Redis, lane: Lane, **outcome: Any) -> None:
    """End the turn of a message."""
    lanes = lanes_of(redis)
    assert lane in claim(lanes)
    turn = lanes.lease(lane)
    assert turn
    ids = tuple(one.id for one in turn.messages)
    lanes.end(turn, Ended(**{"message_ids": ids, "status": Status.REPLIED, **outcome}))


def contacts(perform: Operations, **asked: Any) -> list[str]:
    """The contacts in a list, over all its pages."""
    found, after = [], ""
    while True:
        page = perform(list_, ConversationsQuery(**asked, after=after))
        found += [one.contact_id for one in page.conversations]
        if page.next is None:
            return found
        after = page.next


def test_every_conversation_is_listed_newest_first(perform: Operations, redis: Redis) -> None:
    """The list has all locations and outcomes, page after page."""
    keep(redis, "here", "there")
    for number in range(7):
        come(redis, f"c{number}", ("here", "there")[number % 2], ago=100 - number)
    assert contacts(perform, limit=2) == [f"c{number}" for number in reversed(range(7))]
    assert contacts(perform, location_id="there") == ["c5", "c3", "c1"]


def test_a_page_ends_at_any_id_that_an_event_may_have(perform: Operations, redis: Redis) -> None:
    """The next page starts after the longest id, and after one with each character that ids have."""
    keep(redis)
    for ago, contact in enumerate(("x" * 200, "a1_.@<>=+~/$-", "last")):
        come(redis, contact, ago=ago)
    assert contacts(perform, limit=1) == ["x" * 200, "a1_.@<>=+~/$-", "last"]


def test_conversations_of_the_same_moment_are_each_on_one_page(perform: Operations, redis: Redis) -> None:
    """This holds even if a page ends among them."""
    keep(redis, "here", "there")
    at = now_ms(redis)
    for number in range(40):
        come(redis, f"c{number:02}", ("here", "there")[number % 2], date_added_ms=at)
    found = contacts(perform, limit=3)
    assert sorted(found) == [f"c{number:02}" for number in range(40)]


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ({"status": "replied"}, ["replied"]),
        ({"status": "answered"}, ["provider", "replied"]),
        ({"status": "delivered_by_provider"}, ["provider"]),
        ({"status": "no_reply"}, ["silent"]),
        ({"reason": "empty"}, ["silent"]),
        ({"status": "skipped"}, ["dnd", "taken"]),
        ({"status": "skipped", "reason": "dnd"}, ["dnd"]),
        ({"reason": "human_takeover"}, ["taken"]),
        ({"reason": "loop"}, []),
        ({"status": "dead"}, ["dead"]),
    ],
    ids=str,
)
def test_a_list_of_an_end_holds_the_conversations_that_ended_so(
    perform: Operations, redis: Redis, asked: dict[str, str], listed: list[str]
) -> None:
    """The filter is a status, or a reason."""
    keep(redis)
    end(redis, come(redis, "replied", ago=5))
    end(redis, come(redis, "provider", ago=4), status=Status.DELIVERED_BY_PROVIDER)
    end(redis, come(redis, "silent", ago=3), status=Status.NO_REPLY, reason=Reason.EMPTY)
    end(redis, come(redis, "taken", ago=2), status=Status.SKIPPED, reason=Reason.HUMAN_TAKEOVER)
    end(redis, come(redis, "dnd", ago=1), **SKIPPED)
    lanes, lane = lanes_of(redis), come(redis, "dead")
    claim(lanes)
    turn = lanes.lease(lane)
    assert turn
    lanes.write_dead_letter(turn, [turn.messages[0].id], Dead(error="HTTP 422"), answer=None, at_ms=1)
    assert contacts(perform, **asked) == listed
    come(redis, "replied")
    assert contacts(perform, **asked) == listed if "replied" not in listed else True


def test_a_message_that_ends_as_it_comes_is_listed_too(perform: Operations, redis: Redis) -> None:
    """A stop word never waits; its conversation is listed until its data expires."""
    keep(redis)
    lane = come(redis, "stopping", text="STOP")
    (row,) = perform(list_, ConversationsQuery(reason="stop_word")).conversations
    assert (row.contact_id, row.status, row.channel) == ("stopping", "skipped", "SMS")
    assert redis.pttl(key("lane", str(lane))) > 0


def test_what_is_to_be_done_is_listed_oldest_first(perform: Operations, redis: Redis) -> None:
    """The lists of waiting, overdue, current, retried and held conversations agree with the overview."""
    keep(redis, "here", "there")
    lanes = lanes_of(redis)
    failed, working = come(redis, "failed"), come(redis, "working")
    claim(lanes)
    turn = lanes.lease(failed)
    assert turn
    lanes.again(turn, [turn.messages[0].id], Again(wait=100, why="HTTP 500"))
    come(redis, "first")
    come(redis, "second")
    come(redis, "kept", "there")
    redis.sadd(key("holds", of="there"), "there")
    pass_time(redis, 10)
    assert contacts(perform, status="answering") == ["working"]
    assert contacts(perform, status="retrying") == ["failed"]
    assert contacts(perform, status="waiting") == ["first", "second", "failed"]
    assert contacts(perform, status="overdue") == ["first", "second"]
    assert contacts(perform, status="on_hold") == ["kept"]
    (row,) = perform(list_, ConversationsQuery(status="retrying")).conversations
    assert (row.status, row.failed_attempts, row.on_hold, row.channel) == ("retrying", 1, False, "SMS")
    (row,) = perform(list_, ConversationsQuery(status="answering")).conversations
    assert row.contact_id == working.contact_id


def test_lists_are_filtered_by_channel(perform: Operations, redis: Redis) -> None:
    """The filter works for ended and for waiting conversations."""
    keep(redis, channels=["SMS", "FB"])
    end(redis, come(redis, "sms", ago=3))
    facebook = {"channel": "FB", "message_type": "FB", "message_type_string": "TYPE_FACEBOOK"}
    end(redis, come(redis, "facebook", ago=2, **facebook))
    come(redis, "waits", ago=1, **facebook)
    assert contacts(perform, channel="FB") == ["waits", "facebook"]
    assert contacts(perform, channel="SMS", status="replied") == ["sms"]
    assert contacts(perform, channel="IG") == []


def test_lists_are_filtered_by_day_and_span(perform: Operations, redis: Redis) -> None:
    """A day is in the location's time zone; a span counts from now."""
    keep(redis, timezone="Pacific/Auckland")
    noon = round(datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp() * 1000)
    redis.zadd(key("recorded", HERE), {"then": noon, "old": now_ms(redis) - 5000_000, "young": now_ms(redis) - 1000})
    assert contacts(perform, day="2026-11-28") == ["then"]
    assert contacts(perform, day="2026-11-28", location_id=HERE) == []
    assert contacts(perform, day="2026-11-29", location_id=HERE) == ["then"]
    assert contacts(perform, since="1h") == ["young"]
    with pytest.raises(WrongInput, match="2026-11-31 is not a day"):
        contacts(perform, day="2026-11-31")


def test_a_day_of_an_end_is_that_of_the_newest_such_end(perform: Operations, redis: Redis) -> None:
    """The day is that of the end, not of the message."""
    keep(redis)
    end(redis, come(redis, "slow", ago=200))
    assert contacts(perform, status="replied", since="1m") == ["slow"]
    assert contacts(perform, since="1m") == []


def test_lists_are_filtered_by_what_became_of_replies(perform: Operations, redis: Redis) -> None:
    """Replies were accepted by GHL, delivered, or not delivered."""
    keep(redis)
    for number, contact in enumerate(("taken", "arrived", "lost")):
        end(redis, come(redis, contact, ago=9 - number), reply_message_ids=(MessageId(f"r-{contact}"),))
    redis.hset(key("delivery", f"{HERE}:arrived"), "r-arrived", "delivered")
    redis.hset(key("delivery", f"{HERE}:lost"), "r-lost", "undelivered")
    redis.zadd(key("undelivered"), {f"{HERE}:lost r-lost SMS": now_ms(redis)})
    assert contacts(perform, delivery="accepted") == ["taken"]
    assert contacts(perform, delivery="delivered") == ["arrived"]
    assert contacts(perform, delivery="undelivered") == ["lost"]
    assert contacts(perform, delivery="undelivered", location_id="there") == []


def test_what_an_older_version_has_ended_is_found_out_when_it_is_seen(perform: Operations, redis: Redis) -> None:
    """An older version stores no ends: the timeline's newest message shows it, and it is stored then."""
    keep(redis)
    lane = come(redis, "older", ago=1)
    end(redis, lane, **SKIPPED)
    redis.hdel(key("lane", str(lane)), *[str(name) for name in redis.hkeys(key("lane", str(lane))) if "ended" in str(name)])
    assert contacts(perform, reason="dnd") == ["older"]
    assert redis.hget(key("lane", str(lane)), "ended:skipped|dnd")


def test_a_filter_that_little_passes_reads_some_at_a_time(
    perform: Operations, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page may be empty and have a next one; no conversation is left out."""
    monkeypatch.setattr(conversation_lists, "MOST_READ", 500)
    keep(redis)
    now = now_ms(redis)
    redis.zadd(key("recorded", HERE), {f"c{number}": now - 10_000 - number for number in range(1200)})
    end(redis, come(redis, "last", ago=900), **SKIPPED)
    first = perform(list_, ConversationsQuery(reason="dnd"))
    assert (first.conversations, bool(first.next)) == ((), True)
    assert contacts(perform, reason="dnd") == ["last"]


def test_the_list_is_of_known_locations(perform: Operations, redis: Redis) -> None:
    """Conversations of a removed location are not listed."""
    keep(redis)
    come(redis, "gone")
    locations_of(redis).remove(HERE)
    assert contacts(perform) == []
