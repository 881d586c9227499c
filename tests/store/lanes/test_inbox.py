"""Accepting: durable before the 202, once, and due at the right time."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from redis.exceptions import ResponseError

from bridge.errors import Unavailable
from bridge.model import ContactId, ConversationId, Ignored, LocationId, MessageId, Reason
from bridge.store.lanes.inbox import MOST_WAITING, Inbox
from bridge.store.redis.connection import connect, connect_async
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import lane_of
from bridge.store.redis.partitions import keys, prefix_of
from bridge.store.redis.retention import REMEMBERED_MS
from tests.keys import beside, key
from tests.stored import (
    HERE,
    LANE,
    RETENTION_MS,
    accept,
    accept_args,
    bell,
    due_ms,
    keep,
    lanes_of,
    message,
    own_redis,
    part,
    pass_time,
    posted,
    snapshot,
    take,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from redis import Redis

    from bridge.model import InboundMessage
    from tests.stored import OwnRedis

FIRST = message("m1", webhook_id="w1")
WAITING = key("waiting", str(LANE))


def call(id_: str = "call1", *, webhook_id: str = "", location: str = HERE) -> Ignored:
    return Ignored(
        reason=Reason.NOT_A_MESSAGE,
        location_id=LocationId(location),
        contact_id=LANE.contact_id,
        conversation_id=ConversationId("conversation-contact"),
        message_id=MessageId(id_),
        webhook_id=webhook_id,
        event_type="InboundMessage",
    )


def at_ms(redis: Redis, id_: str) -> int:
    at = redis.hget(key("message", HERE, id_), "at")
    assert at
    return int(at)


@pytest.fixture
async def inbox(redis_url: str, redis: Redis) -> AsyncIterator[Inbox]:
    keep(redis, HERE, debounce=5, most=60)
    inbox = Inbox(connect_async(redis_url), retention_ms=RETENTION_MS)
    yield inbox
    await inbox.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnRedis]:
    with own_redis(tmp_path) as server:
        with connect(server.url) as redis:
            keep(redis)
        yield server


@pytest.fixture
async def own_inbox(own: OwnRedis) -> AsyncIterator[Inbox]:
    inbox = Inbox(connect_async(own.url), retention_ms=RETENTION_MS)
    yield inbox
    await inbox.close()


async def test_a_message_of_an_unknown_location_leaves_no_trace(inbox: Inbox, redis: Redis) -> None:
    """A location without settings is unknown, whatever else is known, and nothing is stored."""
    before = snapshot(redis)
    assert await inbox.accept(message(location="elsewhere")) == "unknown_location"
    assert await inbox.note(call(location="elsewhere")) == "unknown_location"
    assert snapshot(redis) == before


@pytest.mark.parametrize(
    "odd",
    [
        message(contact=""),
        message(contact="a:b"),
        message(location=""),
        message(location="here:there"),
        message(location="here\nthere"),
    ],
)
async def test_ids_that_make_no_lane_are_of_no_location(inbox: Inbox, redis: Redis, odd: InboundMessage) -> None:
    """Ids that can't be split into location and contact again are refused."""
    before = snapshot(redis)
    assert await inbox.accept(odd) == "unknown_location"
    assert snapshot(redis) == before


async def test_an_accepted_message_waits_and_is_due(inbox: Inbox, redis: Redis) -> None:
    """After `accepted` the message is stored, waits in its lane, is scheduled, in the timeline, and found by each of its ids."""
    assert await inbox.accept(FIRST) == "accepted"
    kept = redis.hgetall(key("message", HERE, "m1"))
    assert (kept["status"], kept["lane"], kept["conversation"]) == ("waiting", str(LANE), "conversation-contact")
    assert redis.lrange(WAITING, 0, -1) == ["m1"]
    assert due_ms(redis) == redis.zscore(key("due"), HERE) == at_ms(redis, "m1") + 5000
    assert len(redis.lrange(key("timeline", str(LANE)), 0, -1)) == 1
    assert [lane_of(redis, id_) for id_ in ("m1", "conversation-contact", "contact")] == [str(LANE)] * 3
    assert lane_of(redis, "m2") is None
    assert redis.hget(key("location", HERE), "last_event_at") == kept["at"]


@pytest.mark.parametrize(
    "second",
    [
        FIRST,
        replace(FIRST, webhook_id="w2"),
        replace(FIRST, webhook_id=""),
        replace(FIRST, id=MessageId("m2")),
        message("m2", "other contact", webhook_id="w1"),
        message("m1", "other contact", webhook_id="w2"),
    ],
)
async def test_a_message_is_taken_once(inbox: Inbox, redis: Redis, second: InboundMessage) -> None:
    """A message whose webhook id, or location and message id, were seen before is a duplicate and changes nothing."""
    assert await inbox.accept(FIRST) == "accepted"
    before = snapshot(redis)
    assert await inbox.accept(second) == "duplicate"
    assert snapshot(redis) == before


@pytest.mark.parametrize(
    "second", [message("m1", location="there", webhook_id="w2"), message("m2", webhook_id="w2"), message("m2"), message("w1")]
)
async def test_another_message_is_no_duplicate(inbox: Inbox, redis: Redis, second: InboundMessage) -> None:
    """The same message id in another location is another message, and an absent webhook id matches nothing."""
    keep(redis, "there")
    assert await inbox.accept(message("m0")) == "accepted"
    assert await inbox.accept(FIRST) == "accepted"
    assert await inbox.accept(second) == "accepted"


@pytest.mark.parametrize("retention_ms", [1_000, RETENTION_MS])
def test_a_call_sent_twice_answers_the_same(redis: Redis, retention_ms: int) -> None:
    """A client that lost the answer and sends the same call again learns what the first one did, and changes nothing.

    A record that is kept for long enough is the message's mark by itself.
    """
    keep(redis)
    run = redis.register_script(script("accept"))
    args = accept_args(FIRST, nonce="n1")
    args[5] = retention_ms
    assert run(keys=[prefix_of(LANE)], args=args) == ["accepted"]
    before = snapshot(redis)
    assert run(keys=[prefix_of(LANE)], args=args) == ["accepted"]
    assert snapshot(redis) == before
    assert run(keys=[prefix_of(LANE)], args=accept_args(FIRST, nonce="n2")) == ["duplicate"]
    assert redis.exists(key("seen", HERE, "m1")) == (retention_ms < args[4])


def test_messages_that_come_together_are_each_taken_in_for_themselves(redis: Redis) -> None:
    """One call of the script accepts many in their order, and one that fails leaves the others alone."""
    keep(redis)
    spoilt = message("m2", contact="spoilt")
    redis.set(key("waiting", str(spoilt.lane)), "not a list")
    together = (message("m1"), spoilt, message("m1"), message("m3"))
    args = [argument for one in together for argument in accept_args(one)]

    first, failed, *others = redis.register_script(script("accept"))(keys=[prefix_of(LANE)] * 4, args=args)

    assert (first, others) == ("accepted", ["duplicate", "accepted"])
    assert isinstance(failed, ResponseError)
    assert redis.lrange(WAITING, 0, -1) == ["m1", "m3"]


def test_a_call_sent_twice_after_the_answer_answers_the_same(redis: Redis) -> None:
    """A repeated call doesn't add a message again that was answered meanwhile."""
    keep(redis)
    args = accept_args(FIRST, nonce="n1")
    run = redis.register_script(script("accept"))
    run(keys=[prefix_of(LANE)], args=args)
    lanes = lanes_of(redis)
    lanes.let_go(take(lanes))
    redis.delete(WAITING)
    assert run(keys=[prefix_of(LANE)], args=args) == ["accepted"]
    assert not redis.exists(WAITING)


@pytest.mark.parametrize(
    ("debounce", "most", "ages", "expected"),
    [
        (5, 60, [0], 5),
        (5, 60, [3], 5),
        (5, 60, [58], 2),
        (5, 60, [60], 0),
        (5, 60, [90], -30),
        (5, 60, [90, 2], -30),
        (5, 60, [4, 2], 5),
        (0, 60, [1], 0),
        (5, 0, [1], -1),
        (0.25, 0.5, [0.4], 0.1),
    ],
)
def test_a_lane_is_due_after_quiet_but_not_later_than_the_maximum(
    redis: Redis, debounce: float, most: float, ages: list[float], expected: float
) -> None:
    """It is due after the last message plus the debounce, at most the first waiting one plus its maximum, by Redis' clock."""
    keep(redis, debounce=debounce, most=most)
    for number, (age, following) in enumerate(zip(ages, [*ages[1:], 0], strict=True)):
        accept(redis, message(f"earlier{number}"))
        pass_time(redis, age - following)
    accept(redis, message("last"))
    due = due_ms(redis)
    assert due
    assert due - at_ms(redis, "last") == pytest.approx(expected * 1000, abs=999 if expected != debounce else 0)


async def test_a_leased_lane_is_only_appended_to(inbox: Inbox, redis: Redis) -> None:
    """During a turn new messages wait for its release and are not scheduled separately."""
    await inbox.accept(FIRST)
    pass_time(redis, 10)
    take(lanes_of(redis))
    before = due_ms(redis)
    assert await inbox.accept(message("m2")) == "accepted"
    assert due_ms(redis) == before
    assert redis.lrange(WAITING, 0, -1) == ["m1", "m2"]


async def test_a_lapsed_lease_does_not_hold_messages_back(inbox: Inbox, redis: Redis) -> None:
    """After a holder died, a new message schedules the lane as if it had not been held."""
    keep(redis, debounce=5, most=10_000)
    await inbox.accept(FIRST)
    pass_time(redis, 10)
    take(lanes_of(redis))
    pass_time(redis, 1001)
    await inbox.accept(message("m2"))
    assert due_ms(redis) == at_ms(redis, "m2") + 5000


@pytest.mark.one_server("the end of the rings may come from another node before a ring")
async def test_the_bell_rings_only_for_what_is_due_first(inbox: Inbox, redis: Redis) -> None:
    """Only a message that makes something due earlier than anything else rings."""
    # Of one partition.
    sooner, later = beside(HERE, 2)
    keep(redis, sooner, debounce=1)
    keep(redis, later, debounce=9)
    with bell(redis) as rung:
        for one, rings in (
            (message("m1"), 1),
            (message("m2"), 0),
            (message("m3", "other contact"), 0),
            (message("m4", location=later), 0),
            (message("m5", location=sooner), 1),
        ):
            await inbox.accept(one)
            assert rung() == rings


async def test_what_is_unfinished_never_expires(inbox: Inbox, redis: Redis) -> None:
    """A waiting message has no expiry; records of the past have one."""
    await inbox.accept(FIRST)
    lasting = {name for name in redis.scan_iter("*") if redis.pttl(name) == -1}
    of_the_location = {key("locations"), key("location", HERE), key("stopping", HERE), key("sweeps"), *keys("owned")}
    of_the_lane = {key("message", HERE, "m1"), WAITING, key("due"), key("due", HERE)}
    assert lasting == of_the_location | of_the_lane
    for name in (key("seen", HERE, "m1"), key("seen", "w1")):
        assert REMEMBERED_MS - 60_000 < redis.pttl(name) <= REMEMBERED_MS
    for name in (key("timeline", str(LANE)), key("index", "conversation-contact")):
        assert RETENTION_MS - 60_000 < redis.pttl(name) <= RETENTION_MS


async def test_a_call_is_noted_without_being_answered(inbox: Inbox, redis: Redis) -> None:
    """An event that needs no answer is in the timeline and can be found, but neither waits nor is due, and expires."""
    assert await inbox.note(call(webhook_id="w9")) == "skipped"
    assert await inbox.note(call(webhook_id="w9")) == "duplicate"
    kept = redis.hgetall(key("message", HERE, "call1"))
    assert (kept["status"], kept["reason"]) == ("skipped", "not_a_message")
    assert lane_of(redis, "call1") == str(LANE)
    assert not redis.exists(WAITING)
    assert due_ms(redis) is None
    assert 0 < redis.pttl(key("message", HERE, "call1")) <= RETENTION_MS


async def test_a_noted_call_leaves_a_waiting_lane_alone(inbox: Inbox, redis: Redis) -> None:
    """A call between two messages changes neither what waits nor when it is due."""
    await inbox.accept(FIRST)
    before = due_ms(redis), redis.lrange(WAITING, 0, -1)
    await inbox.note(call())
    assert (due_ms(redis), redis.lrange(WAITING, 0, -1)) == before


async def test_every_message_of_a_crowd_is_kept_once(inbox: Inbox, redis: Redis) -> None:
    """Of hundreds of concurrent calls, each sent twice, each message is accepted exactly once and none is lost."""
    crowd = [message(f"m{number}", f"contact{number % 3}", webhook_id=f"w{number}") for number in range(150)]
    outcomes = await asyncio.gather(*(inbox.accept(one) for one in [*crowd, *crowd]))
    assert sorted(outcomes) == ["accepted"] * 150 + ["duplicate"] * 150
    assert sum(redis.llen(key("waiting", HERE, f"contact{number}")) for number in range(3)) == 150


async def test_what_was_accepted_is_what_is_answered(inbox: Inbox, redis: Redis) -> None:
    """Every field and every character of a message is returned as it was stored."""
    odd = message(
        text='a\x00b "c" \\d 🙂\u2028 é\n%s {}', subject="<b>", attachments=("https://x/1", "https://x/2"), thread_id="t"
    )
    await inbox.accept(odd)
    pass_time(redis, 10)
    assert take(lanes_of(redis)).messages == (odd,)


async def test_a_restarted_redis_has_the_script_again(inbox: Inbox, redis: Redis) -> None:
    """A script that Redis lost is loaded again automatically."""
    await inbox.accept(FIRST)
    redis.script_flush()
    assert await inbox.accept(message("m2")) == "accepted"


async def test_a_frozen_redis_is_unavailable_in_a_second(own: OwnRedis, own_inbox: Inbox) -> None:
    """A hanging Redis is reported within about a second to many senders, and works again without a restart."""
    assert await own_inbox.accept(message("before")) == "accepted"
    own.signal(signal.SIGSTOP)
    began = time.monotonic()
    outcomes = await asyncio.gather(*(own_inbox.accept(message(f"m{number}")) for number in range(100)), return_exceptions=True)
    assert time.monotonic() - began < 5  # one after the other they would take a hundred
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    own.signal(signal.SIGCONT)
    assert await own_inbox.accept(message("after")) == "accepted"


async def test_what_was_accepted_survives_the_death_of_redis(own: OwnRedis, own_inbox: Inbox) -> None:
    """A killed Redis is unavailable at once, returns with every accepted message, and is used again without a restart."""
    accepted = [message(f"m{number}") for number in range(20)]
    for one in accepted:
        assert await own_inbox.accept(one) == "accepted"
    own.kill()
    with pytest.raises(Unavailable, match="accept message lost"):
        await own_inbox.accept(message("lost"))
    own.start()
    assert await own_inbox.accept(message("after")) == "accepted"
    with connect(own.url) as redis:
        turn = take(lanes_of(redis))
    assert [one.id for one in turn.messages] == [*(one.id for one in accepted), "after"]


async def test_a_full_redis_refuses_new_messages(own: OwnRedis, own_inbox: Inbox) -> None:
    """At `maxmemory` nothing is accepted, not even partly; with memory again the same message is new."""
    with connect(own.url) as redis:
        before = snapshot(redis)
        redis.config_set("maxmemory", 1)
        with pytest.raises(Unavailable):
            await own_inbox.accept(FIRST)
        assert snapshot(redis) == before
        redis.config_set("maxmemory", 0)
    assert await own_inbox.accept(FIRST) == "accepted"


def test_a_full_redis_drains(own: OwnRedis) -> None:
    """At `maxmemory` accepted messages can still be claimed, leased, renewed, recorded and ended."""
    with connect(own.url) as redis:
        accept(redis, FIRST)
        lanes = lanes_of(redis)
        redis.config_set("maxmemory", 1)
        turn = take(lanes)
        assert lanes.renew([turn]) == ()
        lanes.sending(turn, part("0"), revision=0, at_ms=1, channel="SMS")
        lanes.sent(turn, posted(part("0"), [MessageId("r1")], at_ms=2, how="posted"))
        lanes.let_go(turn)
        redis.config_set("maxmemory", 0)
        assert redis.get(key("own", HERE, "r1")) == f"{turn.id} {LANE.contact_id}"


def test_contacts_of_different_locations_are_different_lanes(redis: Redis) -> None:
    """The same contact id in two locations is two lanes."""
    keep(redis, HERE, "there")
    accept(redis, message("m1"), message("m2", location="there"))
    lanes = lanes_of(redis)
    assert [one.id for one in take(lanes).messages] == ["m1"]
    assert redis.lrange(key("waiting", "there", ContactId("contact")), 0, -1) == ["m2"]


def test_the_last_message_that_fits_is_told_the_same_twice(redis: Redis) -> None:
    """A repeated call of the message that filled the lane does not report an overflow."""
    keep(redis)
    accept(redis, *(message(f"m{number}") for number in range(MOST_WAITING - 1)))
    run = redis.register_script(script("accept"))
    args = accept_args(message("last"), nonce="n1")
    assert [run(keys=[prefix_of(LANE)], args=args), run(keys=[prefix_of(LANE)], args=args)] == [["accepted"], ["accepted"]]
    assert accept(redis, message("over")) == ["overflow"]
