"""Operators' actions in a conversation, up to the requests that arrive at GHL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import DidNotWork, NotKnown, WrongInput
from bridge.operating.conversations import ConversationQuery
from bridge.operating.interventions import Draft, SkippedMessage, answer, send_draft, try_now
from bridge.operating.local import LocalOperations
from bridge.operating.services import AdminServices
from bridge.settings import from_environment
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.stored import FERNET_KEY, HERE, LANE, accept, due_ms, locations_of, message, standings_of
from tests.world import COMPLETE, CONTACT, POST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from bridge.operating.operation import Operations
    from tests.world import World

RULES: dict[str, dict[str, Any]] = {
    "channel_off": {"channels": ["Email"]},
    "reply_cap": {"max_replies_per_day": 1},
    "missing_tag": {"required_tags": ["vip"]},
    "outside_hours": {"business_hours": ["mon 00:00-00:01"], "timezone": "UTC"},
    "too_old": {"max_age_seconds": 0.0},
}


@pytest.fixture
def perform(redis_url: str, world: World) -> Iterator[Operations]:
    """The operations, with a server as GHL."""
    environ = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, "GHL_API_URL": world.url}
    admin_services = AdminServices(from_environment(environ))
    yield LocalOperations(admin_services, who="cli")
    admin_services.close()


def take_over(world: World) -> None:
    """Let a person of the business write."""
    world.redis.hset(key("standing", str(LANE)), mapping={"human_at": now_ms(world.redis), "human_id": "usr_1"})
    world.redis.hset(key("location", HERE), "marketplace_at", now_ms(world.redis))


def skipped(world: World, reason: str, id_: str = "m1") -> None:
    """A message that ends skipped for this reason."""
    world.write(id_)
    world.work()
    assert world.status(id_) == ("skipped", reason)


def test_what_a_person_had_is_answered_at_an_operators_word(world: World, perform: Operations, redis: Redis) -> None:
    """Its text is read from GHL; the answer is posted once, and the takeover continues for later messages."""
    take_over(world)
    skipped(world, "human_takeover")
    assert redis.hget(key("message", HERE, "m1"), "body") is None
    assert perform(answer, SkippedMessage("m1")).message_ids == ("m1",)
    world.work()
    assert world.inputs() == ["text of m1"]
    assert world.posts() == ["answer 1"]
    assert world.status() == ("replied", "")
    assert "answer_requested" in world.steps()
    skipped(world, "human_takeover", "m2")


@pytest.mark.parametrize("reason", RULES)
def test_a_rule_of_the_locations_own_is_overruled(world: World, perform: Operations, redis: Redis, reason: str) -> None:
    """Channel, cap, tag, business hours and age are overruled."""
    world.keep(**RULES[reason])
    if reason == "reply_cap":
        redis.zadd(key("replies", str(LANE)), {"before": now_ms(redis)})
    at = now_ms(redis) - 60_000
    world.write("m1", **({"date_added_ms": at} if reason == "too_old" else {}))
    world.work()
    assert world.status()[1] == reason
    perform(answer, SkippedMessage("m1"))
    world.work()
    assert world.status() == ("replied", "")
    assert len(world.posts()) == 1


@pytest.mark.parametrize(("contact", "text"), [({"dnd": True}, ""), ({}, "STOP")], ids=["dnd", "stop"])
def test_what_the_contact_forbids_holds(world: World, perform: Operations, contact: dict[str, Any], text: str) -> None:
    """With do-not-disturb or a stop word the message is skipped again, and nothing is posted."""
    world.keep(contact_lookup=True, max_age_seconds=0.0)
    world.contact = contact
    world.write("m1", date_added_ms=now_ms(world.redis) - 60_000)
    world.work()
    assert world.status()[1] == "too_old"
    if text:
        accept(world.redis, message("m2", text=text, date_added_ms=now_ms(world.redis)))
    perform(answer, SkippedMessage("m1"))
    world.work()
    assert world.status() == ("skipped", "stop_word" if text else "dnd")
    assert (world.posts(), world.asked(COMPLETE)) == ([], [])
    assert world.asked(CONTACT) or text


def test_a_location_that_is_paused_answers_nothing(world: World, perform: Operations, redis: Redis) -> None:
    """An operator's pause of the location can't be overruled for one message."""
    take_over(world)
    skipped(world, "human_takeover")
    locations_of(redis).pause(HERE, paused=True)
    perform(answer, SkippedMessage("m1"))
    world.work()
    assert world.status() == ("skipped", "location_paused")


def test_a_pause_of_the_conversation_is_overruled_for_one_message(world: World, perform: Operations, redis: Redis) -> None:
    """The pause continues."""
    standings_of(redis).pause(LANE.contact_id)
    skipped(world, "conversation_paused")
    standings_of(redis).pause(LANE.contact_id)
    perform(answer, SkippedMessage("m1"))
    world.work()
    assert world.status() == ("replied", "")
    skipped(world, "conversation_paused", "m2")


def test_two_operators_who_ask_for_the_same_get_one_answer(world: World, perform: Operations) -> None:
    """The second operator is told that."""
    take_over(world)
    skipped(world, "human_takeover")
    perform(answer, SkippedMessage("m1"))
    with pytest.raises(WrongInput, match="m1 was not skipped, it is waiting"):
        perform(answer, SkippedMessage("m1"))
    world.work()
    assert world.posts() == ["answer 1"]


def test_what_can_not_be_answered_is_refused_with_a_sentence(world: World, perform: Operations) -> None:
    """This holds for an unknown id, an answered message, and one that GHL no longer lists."""
    with pytest.raises(NotKnown, match="nobody is not known here"):
        perform(answer, SkippedMessage("nobody"))
    world.write("m1")
    world.work()
    with pytest.raises(WrongInput, match="m1 was not skipped, it is replied"):
        perform(answer, SkippedMessage("m1"))
    take_over(world)
    skipped(world, "human_takeover", "m2")
    world.written.clear()
    with pytest.raises(DidNotWork, match="GHL lists no text of message m2 any more"):
        perform(answer, SkippedMessage("m2"))


def test_a_draft_is_sent_as_it_stands_in_ghl(world: World, perform: Operations) -> None:
    """It is sent once, without another completion, in draft mode too; staff may have corrected it."""
    world.keep(mode="draft")
    world.write("m1")
    world.work()
    assert world.asked(POST)[-1]["type"] == "InternalComment"
    world.texts["r1"] = "answer 1, corrected"
    assert perform(send_draft, Draft("r1")).message_ids == ("m1",)
    world.work()
    sent = world.asked(POST)[-1]
    assert (sent["type"], sent["message"]) == ("SMS", "answer 1, corrected")
    assert (len(world.asked(COMPLETE)), world.status()) == (1, ("replied", ""))
    with pytest.raises(NotKnown, match="r1 is not known here as a reply"):
        perform(send_draft, Draft("r1"))
    world.write("m2")
    world.work()
    assert world.asked(POST)[-1]["type"] == "InternalComment"


def test_what_was_sent_is_no_draft(world: World, perform: Operations) -> None:
    """Only a comment from draft mode is sent."""
    world.write("m1")
    world.work()
    with pytest.raises(WrongInput, match="r1 is not a draft"):
        perform(send_draft, Draft("r1"))


def test_a_draft_for_a_contact_that_wants_no_messages_stays_one(world: World, perform: Operations) -> None:
    """With do-not-disturb it is not sent."""
    world.keep(mode="draft", contact_lookup=True)
    world.write("m1")
    world.work()
    world.texts["r1"] = "answer 1"
    world.contact = {"dnd": True}
    perform(send_draft, Draft("r1"))
    world.work()
    assert world.status() == ("skipped", "dnd")
    assert [post["type"] for post in world.asked(POST)] == ["InternalComment"]


def test_what_waits_is_tried_at_once(world: World, perform: Operations, redis: Redis) -> None:
    """The conversation is retried without waiting."""
    world.refusing[COMPLETE] = 500
    world.write("m1")
    world.work(delays=(1000.0,))
    assert world.status()[0] == "retrying"
    world.refusing.clear()
    assert (due_ms(redis) or 0) > now_ms(redis) + 500_000
    assert not perform(try_now, ConversationQuery("m1")).working
    world.work()
    assert world.status() == ("replied", "")
    assert "try_requested" in world.steps()


def test_a_try_at_once_is_refused_where_nothing_can_be_tried(world: World, perform: Operations, redis: Redis) -> None:
    """If nothing waits, or the location is on hold, a sentence says so."""
    with pytest.raises(NotKnown, match="nobody is not known here"):
        perform(try_now, ConversationQuery("nobody"))
    world.write("m1")
    world.work()
    with pytest.raises(DidNotWork, match="nothing waits in the conversation of contact"):
        perform(try_now, ConversationQuery("m1"))
    world.write("m2")
    redis.hset(key("location", HERE), "hold", 1)
    with pytest.raises(DidNotWork, match="location here is on hold"):
        perform(try_now, ConversationQuery("m2"))
