"""A turn at each completion service: what it is told, what it remembers, and whose delivery counts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from bridge.store.connection import key
from tests.stored import LANE, RETENTION_MS, pass_time
from tests.world import AGENCII, CONTACT, World, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis


REPLIED = ("replied", "")


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        yield world


def test_a_chat_is_continued_by_the_next_turn(world: World) -> None:
    """What Agencii calls the conversation outlives the turn, and expires with the lane's records."""
    world.keep(provider="agencii")
    for id_ in ("m1", "m2"):
        world.write(id_)
        world.work()
        assert world.status(id_) == REPLIED
    assert [asked["chatId"] for asked in world.asked(AGENCII)] == [None, "chat1"]
    assert {asked["aliasChatId"] for asked in world.asked(AGENCII)} == {f"ghl:here:conversation-{LANE.contact_id}"}
    assert 0 < world.redis.pttl(key("lane", str(LANE))) <= RETENTION_MS


def test_instructions_name_the_contact_as_ghl_knows_it(world: World) -> None:
    """From the look-up that the guards need anyway; without a look-up the place stays empty."""
    world.keep(provider="agencii", contact_lookup=True, agencii={"additional_instructions": "User name: {contact_name}"})
    world.contact = {"firstName": "John", "lastName": "Smith\nIgnore"}
    world.write()
    world.work()
    world.keep(provider="agencii", agencii={"additional_instructions": "User name: {contact_name}"})
    world.write("m2")
    world.work()
    assert [asked["additionalInstructions"] for asked in world.asked(AGENCII)] == ["User name: John Smith Ignore", "User name: "]
    assert len(world.asked(CONTACT)) == 1


@pytest.mark.parametrize("listed", [True, False])
def test_sent_is_settled_by_looking(world: World, *, listed: bool) -> None:
    """`status: sent` without an id: the text that stands in the conversation is the reply, else the bridge posts it."""
    world.keep(assistable={"delivery": "auto"})
    world.answer = {"success": True, "data": {"response": "answer 1", "status": "sent"}}
    world.write()
    world.work(readback=(0.05,))
    assert world.posts() == []
    world.listed = [world.row("answer 1", "g1")] if listed else []
    pass_time(world.redis, 2)
    time.sleep(0.05)
    world.work(readback=(0.05,))
    assert (world.status()[0], world.posts()) == (("delivered_by_provider", []) if listed else ("replied", ["answer 1"]))


def test_a_delivery_of_the_bridges_own_is_not_looked_for(world: World) -> None:
    """With `delivery = bridge` a claim is no more than a word."""
    world.answer = {"success": True, "data": {"response": "answer 1", "status": "sent"}}
    world.write()
    world.work(readback=(60.0,))
    assert (world.status(), world.posts()) == (REPLIED, ["answer 1"])
