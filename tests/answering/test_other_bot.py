"""Whether a person or GHL's own bot wrote a message; if that is not known, it counts as a person's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.model import ConversationId, MessageId, OutboundMessage
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.stored import HERE, LANE, standings_of
from tests.world import CONVERSATION, GENERATIONS, LIST, World, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        redis.hset(key("location", HERE), "marketplace_at", now_ms(redis))
        yield world


def leaves(world: World, id_: str, *, ago: float = 0.0, **fields: Any) -> None:
    """Let an outbound message be in GHL's list and in an event."""
    at = now_ms(world.redis) - round(ago * 1000)
    said = OutboundMessage(
        id=MessageId(id_),
        location_id=HERE,
        contact_id=LANE.contact_id,
        conversation_id=ConversationId(CONVERSATION),
        type="TYPE_SMS",
        text=f"text of {id_}",
        date_added_ms=at,
        **{"user_id": "", "source": "app", **fields},
    )
    standings_of(world.redis).observe(LANE, [said])
    world.listed.insert(0, world.row(said.text, id_, dateAdded=at, **fields))


def test_a_person_is_asked_about_once_and_keeps_the_conversation(world: World) -> None:
    """Two messages of the contact during a takeover cause one request to GHL, and both are skipped."""
    leaves(world, "p1", ago=60)
    for id_ in ("m1", "m2"):
        world.write(id_)
        world.work()
    assert [world.status(id_) for id_ in ("m1", "m2")] == [("skipped", "human_takeover")] * 2
    assert len(world.asked(GENERATIONS)) == 1


def test_the_bot_before_the_contact_is_no_takeover(world: World) -> None:
    """The turn continues if GHL's list shows that nobody but the bot wrote before the contact."""
    world.generated = {"b1", "b2"}
    leaves(world, "b1", ago=120)
    leaves(world, "b2", ago=60)
    world.write()
    world.work()
    assert (world.status()[0], world.posts()) == ("replied", ["answer 1"])
    assert len(world.asked(GENERATIONS)) == 2


def test_the_bot_after_the_contact_ends_the_turn(world: World) -> None:
    """This holds with takeovers off too: two machines never answer the same message."""
    world.keep(takeover_seconds=0)
    world.generated = {"b1"}
    world.write(date_added_ms=now_ms(world.redis) - 5_000)
    leaves(world, "b1")
    world.work()
    assert (world.status(), world.posts(), world.inputs()) == (("skipped", "other_bot"), [], [])


def test_a_persons_message_behind_the_bots_counts(world: World) -> None:
    """If the newest message is the bot's and the one before it a person's, the takeover holds."""
    world.generated = {"b1"}
    leaves(world, "p1", ago=120)
    leaves(world, "b1", ago=60)
    world.write()
    world.work()
    assert (world.status(), world.posts()) == (("skipped", "human_takeover"), [])


@pytest.mark.parametrize("broken", [{"endless": True}, {"refusing": {LIST: 500}}], ids=["too long", "unreadable"])
def test_a_list_that_proves_nothing_leaves_the_takeover(world: World, broken: dict[str, Any]) -> None:
    """If GHL's list is too short or can't be read, a person may have written."""
    world.generated = {"b1"}
    leaves(world, "b1", ago=60)
    for name, value in broken.items():
        setattr(world, name, value)
    world.write()
    world.work()
    assert (world.status(), world.posts()) == (("skipped", "human_takeover"), [])


@pytest.mark.parametrize(("status", "asked"), [(401, 1), (403, 1), (500, 6)])
def test_without_an_answer_the_bot_is_a_person(world: World, status: int, asked: int) -> None:
    """A refusal is remembered for an hour; a temporary fault is retried three times in each turn."""
    world.generated, world.refusing = {"b1"}, {GENERATIONS: status}
    world.refused = {"statusCode": status, "message": "The token is not authorized for this scope."}
    leaves(world, "b1", ago=60)
    for id_ in ("m1", "m2"):
        world.write(id_)
        world.work()
    assert [world.status(id_)[1] for id_ in ("m1", "m2")] == ["human_takeover"] * 2
    assert len(world.asked(GENERATIONS)) == asked
    assert bool(world.redis.exists(key("unaskable", HERE))) == (status < 500)


def test_a_call_is_never_asked_about(world: World) -> None:
    """A call is always a person's, because GHL's bot makes none."""
    world.generated = {"c1"}
    leaves(world, "c1", ago=60)
    world.redis.hset(key("standing", str(LANE)), "human_by", "call")
    world.write()
    world.work()
    assert (world.status(), world.asked(GENERATIONS)) == (("skipped", "human_takeover"), [])
