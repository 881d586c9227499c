"""A Redis at `maxmemory`: nothing new is accepted, but accepted messages are answered, and opt-outs and pauses work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.model import ConversationId, MessageId, OutboundMessage, PastMessage
from bridge.store.lanes.generations import Generations
from bridge.store.locations.grants import of_location
from bridge.store.redis.connection import connect, now_ms
from tests.answering.test_manners import closed, deaf
from tests.keys import key
from tests.stored import HERE, LANE, grants_of, own_redis, standing_of, standings_of
from tests.world import POST, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world with its own Redis, which has memory until it is `full`."""
    with own_redis(tmp_path) as server, connect(server.url) as redis, opened(redis) as world:
        yield world


def full(world: World) -> None:
    world.redis.config_set("maxmemory", 1)


def refused(world: World) -> None:
    world.write()
    world.refusing[POST] = 429


def away(world: World) -> None:
    world.keep(**closed(world, outside_hours="away", away_message="We open at nine."))
    world.write()


def taken_over(world: World) -> None:
    world.write()
    deaf(world)
    world.listed = [world.row("I take over", "h1", userId="staff", dateAdded=now_ms(world.redis) - 1000)]


@pytest.mark.parametrize(
    ("prepare", "status", "posts"),
    [
        (refused, ("waiting", ""), 1),
        (away, ("skipped", "outside_hours"), 1),
        (taken_over, ("skipped", "human_takeover"), 0),
    ],
)
def test_a_turn_ends_as_ever(world: World, prepare: Callable[[World], None], status: tuple[str, str], posts: int) -> None:
    """GHL's 429 is respected, the away message is sent once, and a person's message in GHL's list stops the answer."""
    prepare(world)
    full(world)
    world.work()
    assert (world.status(), len(world.asked(POST))) == (status, posts)


def test_a_person_is_heard(world: World) -> None:
    """A message of staff takes over."""
    world.keep()
    full(world)
    staff = OutboundMessage(
        id=MessageId("h1"),
        location_id=LANE.location_id,
        contact_id=LANE.contact_id,
        conversation_id=ConversationId("c1"),
        type="TYPE_SMS",
        text="I take over",
        date_added_ms=now_ms(world.redis),
        user_id="staff",
    )
    assert standings_of(world.redis).observe(LANE, [staff]) == 1


def test_an_operator_is_heeded(world: World) -> None:
    """A conversation is paused, whether it is known or not."""
    world.keep()
    world.write()
    full(world)
    standings_of(world.redis).pause(LANE.contact_id)
    standings_of(world.redis).pause("never-heard-of")
    assert world.redis.exists(key("paused", "never-heard-of"))
    world.work()
    assert (world.status()[1], world.posts()) == ("conversation_paused", [])


def test_an_operator_who_spoke_before_is_heeded(world: World) -> None:
    """The pause of an unknown contact becomes the contact's, whichever process reads it first."""
    world.keep()
    standings_of(world.redis).pause(LANE.contact_id)
    full(world)
    assert standing_of(world.redis, LANE, "c1").paused_at_ms


def test_words_are_put_on_record(world: World) -> None:
    """A reply that a turn finds posted is in the history for the next answer."""
    full(world)
    words = PastMessage("assistant", "We are open", MessageId("r1"), now_ms(world.redis))
    standings_of(world.redis).remember(LANE, [words])
    assert standings_of(world.redis).said(LANE, 9) == (words,)


def test_a_token_is_renewed(world: World) -> None:
    """Without it no waiting message could be posted."""
    full(world)
    assert grants_of(world.redis).begin(of_location(HERE), version="").how == "yours"


def test_what_ghl_told_of_its_bot_is_asked_again(world: World) -> None:
    """It is not stored, and this is not reported as a fault."""
    notes = Generations(world.redis)
    full(world)
    notes.put(LANE, MessageId("h1"), by_bot=True)
    notes.refused(HERE)
    assert (notes.known(LANE, MessageId("h1")), notes.askable(HERE)) == (None, True)
