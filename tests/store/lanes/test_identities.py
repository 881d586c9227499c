"""Messages without GHL's id, as stored in Redis."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from bridge.errors import Fenced, Unavailable
from bridge.model import ConversationId, Ended, MessageId, Status
from bridge.store.lanes.messages import encode
from bridge.store.redis.connection import connect_without_retries
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import lane_of
from bridge.store.redis.partitions import ANY, prefix_of
from bridge.store.redis.retention import REMEMBERED_MS
from tests.keys import key
from tests.stored import LANE, RETENTION_MS, accept, identities_of, keep, lanes_of, message, pass_time, snapshot, take

if TYPE_CHECKING:
    from redis import Redis

    from bridge.model import InboundMessage, Turn

M1 = MessageId("m1")


def unnamed(id_: str = "w1", text: str = "yes") -> InboundMessage:
    return message(id_, text=text, provisional=True, conversation_id=ConversationId(""), date_added_ms=0)


def named(one: InboundMessage, id_: str = "m1") -> InboundMessage:
    return replace(one, id=MessageId(id_), provisional=False, conversation_id=ConversationId("c1"), date_added_ms=7)


def begun(redis: Redis, *messages: InboundMessage) -> Turn:
    """A turn of these messages."""
    keep(redis)
    assert accept(redis, *messages) == ["accepted"] * len(messages)
    return take(lanes_of(redis))


def test_a_message_gets_its_id_in_its_place(redis: Redis) -> None:
    """The lane's order stays, and the turn that is read again has the new data, with the same lease."""
    first = unnamed()
    turn = begun(redis, first, message("m2"))
    identities_of(redis).settle(turn, first, named(first), ids=[M1, MessageId("row1")], event="by its text")
    anew = lanes_of(redis).reread(turn)
    assert anew
    assert [one.id for one in anew.messages] == ["m1", "m2"]
    assert (anew.messages[0], anew.token, anew.unfinished, anew.waiting) == (named(first), turn.token, 1, 2)
    assert accept(redis, message("m1"), message("row1")) == ["duplicate", "duplicate"]
    assert [lane_of(redis, id_) for id_ in ("m1", "c1")] == [str(LANE)] * 2


def test_a_turn_that_has_only_duplicates_is_over(redis: Redis) -> None:
    """If no message waits any more, the lane is released at its next read, and the next turn has none of this data."""
    first = unnamed()
    keep(redis)
    accept(redis, message("m1"))
    turn = take(lanes_of(redis))
    lanes_of(redis).skip(turn, Ended(status=Status.SKIPPED, message_ids=(M1,)))
    accept(redis, first)
    identities_of(redis).settle(turn, first, named(first), ids=[M1], event="by its text")
    assert lanes_of(redis).reread(turn) is None
    assert not redis.exists(key("waiting", str(LANE)), key("inflight"), key("due"))
    assert all(str(name).startswith("ended") for name in redis.hkeys(key("lane", str(LANE))))


@pytest.mark.parametrize("known", [False, True])
def test_a_call_sent_twice_does_the_same(redis: Redis, *, known: bool) -> None:
    """redis-py may repeat a script whose answer was lost: the id is set once, or the duplicate ended once."""
    first = unnamed()
    turn = begun(redis, first, message("m2"))
    if known:
        redis.set(key("seen", LANE.location_id, "m1"), "other:accepted")
    what = {
        "id": "w1",
        "ids": ["m1"],
        "line": named(first).line,
        "conversation_id": "c1",
        "event": orjson.dumps({"step": "resolved"}).decode(),
        "duplicate": {"messages": {"w1": {"status": "skipped"}}, "done": ["w1"], "events": ['{"step":"skipped"}']},
        "words": "",
        "nonce": "nonce",
    }
    run = redis.register_script(script("resolve"))
    body = encode(named(first))
    args: list[Any] = [str(LANE), turn.token, orjson.dumps(what), body, REMEMBERED_MS, RETENTION_MS]
    assert run(keys=[prefix_of(LANE)], args=args) == 1
    after = snapshot(redis)
    assert run(keys=[prefix_of(LANE)], args=args) == 1
    assert snapshot(redis) == after
    assert redis.lrange(key("waiting", str(LANE)), 0, -1) == (["m2"] if known else ["m1", "m2"])


def test_a_lost_lease_writes_nothing(redis: Redis) -> None:
    """A turn that lost its lease is told, and changes nothing."""
    first = unnamed()
    turn = replace(begun(redis, first), token="another")
    before = snapshot(redis)
    with pytest.raises(Fenced):
        identities_of(redis).settle(turn, first, named(first), ids=[M1], event="by its text")
    with pytest.raises(Fenced):
        identities_of(redis).set_aside(turn, first)
    assert snapshot(redis) == before


def test_a_full_redis_lets_it_pass(redis: Redis) -> None:
    """At `maxmemory` the script still works."""
    first = unnamed()
    turn = begun(redis, first)
    redis.config_set("maxmemory", "1")
    try:
        identities_of(redis).settle(turn, first, named(first), ids=[M1], event="by its text")
    finally:
        redis.config_set("maxmemory", "0")
    assert redis.lrange(key("waiting", str(LANE)), 0, -1) == ["m1"]


def test_what_joined_undecided_is_told_until_it_is_set_aside(redis: Redis) -> None:
    """Among messages that joined, only those without their id are undecided, and each is reported once."""
    turn = begun(redis, message("m1"), unnamed("w1"))
    accept(redis, unnamed("w2"), message("m2"))
    identities = identities_of(redis)
    assert [one.id for one in identities.undecided(LANE, seen=2)] == ["w2"]
    assert [one.id for one in identities.undecided(LANE, seen=0)] == ["w1", "w2"]
    identities.set_aside(turn, unnamed("w2"))
    assert identities.undecided(LANE, seen=2) == ()
    anew = lanes_of(redis).reread(turn)
    assert anew
    assert [one.provisional for one in anew.messages] == [False, True, True, False]


def test_arrivals_are_told_by_redis_clock(redis: Redis) -> None:
    """Each message has the time of its webhook; a missing one has none."""
    begun(redis, unnamed("w1"))
    pass_time(redis, 10)
    accept(redis, unnamed("w2"))
    came = identities_of(redis).arrivals(LANE, [MessageId("w1"), MessageId("w2"), MessageId("gone")])
    assert came[MessageId("w2")] - came[MessageId("w1")] == pytest.approx(10_000, abs=500)
    assert came[MessageId("gone")] == 0


def test_everything_expires(redis: Redis) -> None:
    """What is stored about ids, copies and duplicates expires."""
    first, second, third = (unnamed(id_) for id_ in ("w1", "w2", "w3"))
    turn = begun(redis, first, second, third)
    identities = identities_of(redis)
    identities.settle(turn, first, named(first), ids=[M1], event="by its text")
    identities.settle(turn, second, named(second), ids=[M1], event="by its text")
    identities.settle(turn, third, replace(third, provisional=False), ids=(), event="not listed")
    waiting = {key("message", LANE.location_id, id_) for id_ in ("m1", "w3")} | {key("waiting", str(LANE))}
    remembered = {
        *redis.scan_iter(f"{ANY}seen:*"),
        *redis.scan_iter(f"{ANY}index:*"),
        *redis.scan_iter(f"{ANY}twins:*"),
        *redis.scan_iter(f"{ANY}message:*"),
    }
    assert all(redis.pttl(name) > 0 for name in remembered - waiting)
    assert len(list(redis.scan_iter(f"{ANY}twins:*"))) == 1


def test_without_redis_it_is_unavailable() -> None:
    """Every method reports that Redis can't be reached."""
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        identities = identities_of(nowhere)
        for call in (lambda: identities.arrivals(LANE, [M1]), lambda: identities.undecided(LANE, seen=0)):
            with pytest.raises(Unavailable):
                call()
