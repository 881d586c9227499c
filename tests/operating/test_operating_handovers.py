"""Contacts that wait for a person: listed, informed, resumed and erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.operating import contacts, conversations, handovers, overview
from bridge.operating.conversations import ConversationQuery
from bridge.operating.handovers import HandoversQuery
from bridge.operating.operation import Nothing
from bridge.store.redis.connection import text
from tests.keys import key
from tests.stored import HERE, LANE, snapshot

if TYPE_CHECKING:
    from redis import Redis

    from bridge.operating.operation import Operations
    from tests.world import World


def hand_over(world: World, seconds: int = 3600) -> None:
    """Let the agent ask for a person."""
    world.keep(handover={"marker": "[[H]]", "seconds": seconds})
    world.answer = {"run": {"output": "[[H]]"}}
    world.write()
    world.work()


def causes(perform: Operations) -> list[str]:
    return [trouble.cause for trouble in perform(overview.overview, Nothing()).troubles if trouble.cause.startswith("handover")]


def test_who_waits_is_listed_until_somebody_resumes(world: World, perform: Operations) -> None:
    """They are listed for a location or all; the standing says why, and the overview counts them until then."""
    hand_over(world)
    (shown,) = perform(handovers.list_, HandoversQuery())
    assert (shown.location_id, shown.contact_id) == (HERE, LANE.contact_id)
    assert shown.since
    assert shown.until
    assert perform(handovers.list_, HandoversQuery(HERE)) == (shown,)
    assert perform(handovers.list_, HandoversQuery("elsewhere")) == ()
    standing = perform(conversations.show, ConversationQuery(LANE.contact_id)).standing
    assert standing.taken_over
    assert standing.taken_over.startswith("the agent asked for a person")
    assert causes(perform) == [f"handover:{LANE}"]
    perform(conversations.resume, ConversationQuery(LANE.contact_id))
    assert (perform(handovers.list_, HandoversQuery()), causes(perform)) == ((), [])
    assert perform(conversations.show, ConversationQuery(LANE.contact_id)).standing.taken_over is None


def test_a_wait_without_an_end_says_so(world: World, perform: Operations) -> None:
    """Only `resume` ends it."""
    hand_over(world, seconds=-1)
    (shown,) = perform(handovers.list_, HandoversQuery())
    assert shown.until is None


def test_an_erased_contact_is_on_no_list_and_stays_left_to_people(world: World, perform: Operations, redis: Redis) -> None:
    """Its digest only has the end of the agent's silence, until then."""
    hand_over(world)
    redis.hset(key("alerts"), f"handover:{LANE}", "The AI agent asks for a person.")
    perform(contacts.erase, contacts.ContactQuery(HERE, LANE.contact_id))
    assert (perform(handovers.list_, HandoversQuery()), redis.hkeys(key("alerts"))) == ((), [])
    assert str(LANE) not in str({name: value for name, value in snapshot(redis).items() if "audit" not in str(name)})
    (kept,) = redis.keys(key("erased", "*"))
    assert set(map(text, redis.hkeys(kept))) == {"handover_at", "handover_until"}
    assert 0 < redis.pttl(kept) <= 3_600_000
