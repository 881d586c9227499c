"""A rollback of the state: each older lane looks into GHL before it acts, so that nothing is repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.model import Again, Completion, Dead, MessageId
from bridge.store.figures.rollbacks import last_rollback
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.stored import HERE, LANE, claim, dead_letters_of, lanes_of
from tests.world import LIST, POST, World, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

M1 = MessageId("m1")


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        redis.hset(key("location", HERE), "marketplace_at", now_ms(redis))
        yield world


def goes_back(redis: Redis, *, certain: bool = False, ago: float = 60.0) -> int:
    """What `parts/rollback.lua` stores after a rollback."""
    at = now_ms(redis) - round(ago * 1000)
    redis.hset(key("rollback"), mapping={"at": at, **({"certain_at": at} if certain else {})})
    return at


def wrote(world: World, id_: str = "m1", *, ago: float = 120.0, **fields: Any) -> None:
    """The contact wrote before the rollback."""
    world.write(id_, date_added_ms=now_ms(world.redis) - round(ago * 1000), **fields)


def reply(world: World, id_: str = "r1", *, ago: float = 100.0, text: str = "an answer", **fields: Any) -> None:
    """GHL has an outbound message that the state does not know."""
    world.listed.insert(0, world.row(text, id_, dateAdded=now_ms(world.redis) - round(ago * 1000), **fields))


def test_a_reply_in_ghl_ends_what_it_answered(world: World) -> None:
    """No completion is requested and nothing is posted; the reason names GHL's message, and an alert is sent."""
    goes_back(world.redis)
    wrote(world)
    reply(world)
    world.work()
    assert (world.status(), world.posts(), world.inputs()) == (("skipped", "answered_before"), [], [])
    assert "r1" in str(world.redis.hget(key("message", HERE, "m1"), "facts"))
    assert last_rollback(world.redis, now_ms(world.redis))


def test_what_was_written_after_the_reply_is_answered(world: World) -> None:
    """Of two waiting messages, the one before the reply ends and the other is answered."""
    goes_back(world.redis)
    wrote(world, "m1")
    wrote(world, "m2", ago=90.0)
    reply(world)
    world.work()
    assert [world.status(id_) for id_ in ("m1", "m2")] == [("skipped", "answered_before"), ("replied", "")]
    assert len(world.posts()) == 1


def test_without_a_reply_the_turn_goes_on_and_no_one_is_told(world: World) -> None:
    """One look is made per lane; the next message needs none, and a look without a find is no problem."""
    goes_back(world.redis)
    for id_, ago in (("m1", 120.0), ("m2", 0.0)):
        wrote(world, id_, ago=ago)
        world.work()
    assert (len(world.posts()), world.steps().count("looked_back")) == (2, 1)
    assert last_rollback(world.redis, now_ms(world.redis)) is None


@pytest.mark.parametrize(
    "fields",
    [{"messageType": "InternalComment"}, {"source": "workflow"}, {"messageType": "TYPE_ACTIVITY_APPOINTMENT"}],
    ids=["comment", "automation", "activity"],
)
def test_what_is_no_reply_answers_nothing(world: World, fields: dict[str, Any]) -> None:
    """A comment, an automation's message and an activity end no turn."""
    goes_back(world.redis)
    wrote(world)
    reply(world, **fields)
    world.work()
    assert world.status()[0] == "replied"


def test_a_users_message_stays_a_takeover_and_one_without_is_none(world: World) -> None:
    """A message from before it with a user id is a person's; one without may be the bridge's, and silences nobody."""
    goes_back(world.redis)
    reply(world, "own", ago=200.0)
    wrote(world)
    world.work()
    assert world.status()[0] == "replied"
    reply(world, "theirs", ago=110.0, userId="u1")
    goes_back(world.redis, ago=59.0)
    wrote(world, "m2", ago=100.0)
    world.work()
    assert world.status("m2") == ("skipped", "human_takeover")


def test_a_stop_in_ghl_holds(world: World) -> None:
    """A STOP that the state has forgotten still counts; later messages are not answered until START."""
    goes_back(world.redis, certain=True)
    stop = {"id": "s1", "direction": "inbound", "body": "STOP", "messageType": "TYPE_SMS"}
    world.written.insert(0, {**stop, "dateAdded": now_ms(world.redis) - 90_000})
    wrote(world, ago=0.0)
    world.work()
    assert (world.status(), world.posts()) == (("skipped", "stop_word"), [])


def test_the_look_waits_until_the_list_can_be_believed(world: World) -> None:
    """The look is after the first wait of the read-backs, or after all of them if writes are known to be lost."""
    goes_back(world.redis, ago=5.0)
    wrote(world)
    world.work(readback=(6.0, 30.0))
    assert (world.status()[0], world.asked(LIST)) == ("waiting", [])
    goes_back(world.redis, ago=10.0)
    due_now(world)
    world.work(readback=(6.0, 30.0))
    assert world.status()[0] == "replied"


@pytest.mark.parametrize(("text", "posts"), [("an answer", []), ("another text", [])], ids=["the same words", "other words"])
def test_a_saved_answer_is_not_posted_over_a_reply_in_ghl(world: World, text: str, posts: list[str]) -> None:
    """If the state has the answer but not its post, the turn ends with GHL's id; another reply ends the turn too."""
    wrote(world)
    _saves(world, "an answer")
    goes_back(world.redis)
    reply(world, text=text)
    world.work()
    assert world.posts() == posts
    assert world.status() == (("replied", "") if text == "an answer" else ("skipped", "answered_before"))


def test_the_rest_of_a_saved_answer_is_posted(world: World) -> None:
    """If GHL has the first of two parts, only the second is posted."""
    world.keep(sms_max_segments=30)
    wrote(world)
    text = "A sentence that is long enough to be split. " * 40
    _saves(world, text)
    goes_back(world.redis)
    world.work()
    both = world.posts()
    assert len(both) > 1
    wrote(world, "m2", ago=110.0)
    _saves(world, text, "m2")
    goes_back(world.redis, ago=50.0)
    reply(world, "elsewhere", text=both[0])
    world.work()
    assert world.posts()[len(both) :] == both[1:]


def test_a_replay_is_not_ended_by_later_replies(world: World) -> None:
    """A replay answers even if something was written since, because the operator decided it."""
    wrote(world)
    lanes = lanes_of(world.redis)
    claim(lanes)
    turn = lanes.lease(LANE)
    assert turn
    lanes.write_dead_letter(turn, [M1], Dead(error="no"), answer=None, at_ms=1)
    goes_back(world.redis)
    reply(world)
    dead_letters_of(world.redis).replay(turn.id, force=True)
    world.work()
    assert world.status()[0] == "replied"


def test_an_unknown_delivery_is_settled_where_it_always_is(world: World) -> None:
    """If a provider that delivers by itself was asked, its message is its delivery, and no sign of lost writes."""
    world.keep(assistable={"delivery": "auto"})
    wrote(world)
    lanes = lanes_of(world.redis)
    claim(lanes)
    turn = lanes.lease(LANE)
    assert turn
    asked_at = now_ms(world.redis) - 110_000
    lanes.asking(turn, [M1], at_ms=asked_at, provider="assistable", may_deliver=True, circuit="c", seconds=1)
    lanes.again(turn, [M1], Again(wait=0, why="the worker stopped", counts=False))
    goes_back(world.redis)
    reply(world)
    world.work()
    assert world.status()[0] == "delivered_by_provider"
    assert last_rollback(world.redis, now_ms(world.redis)) is None


def _saves(world: World, text: str, id_: str = "m1") -> None:
    """A turn that saves its answer and then stops."""
    lanes = lanes_of(world.redis)
    claim(lanes)
    turn = lanes.lease(LANE)
    assert turn
    lanes.answered(turn, [MessageId(id_)], Completion(text=text, provider="assistable"), at_ms=now_ms(world.redis), seconds=1)
    lanes.again(turn, [MessageId(id_)], Again(wait=0, why="the worker stopped", counts=False))


def test_a_part_of_unknown_outcome_is_no_forgotten_reply(world: World) -> None:
    """If a worker was killed during a post, the post is found by the usual read-back, and is no sign of lost writes."""
    wrote(world)
    _saves(world, "an answer")
    world.during[POST, 1] = lambda: goes_back(world.redis)
    world.refusing[POST] = 500
    world.work(readback=(0.0,))
    world.refusing.clear()
    reply(world, ago=0.0)
    due_now(world)
    world.work(readback=(0.0,))
    assert (world.status(), len(world.posts())) == (("replied", ""), 1)
    assert world.steps().count("looked_back") == 1
    assert last_rollback(world.redis, now_ms(world.redis)) is None


def due_now(world: World) -> None:
    """Make waiting lanes due."""
    world.redis.zadd(key("due", HERE), {LANE.contact_id: 1})
    world.redis.zadd(key("due"), {HERE: 1})
