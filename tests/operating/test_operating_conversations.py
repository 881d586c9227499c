"""Conversations and contacts: their state, pauses, and lifted opt-outs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import NotKnown
from bridge.model import MessageId, OutboundMessage
from bridge.operating import contacts, conversations
from bridge.operating.conversations import ConversationQuery
from bridge.store.redis.connection import now_ms
from tests.stored import HERE, LANE, accept, keep, lanes_of, message, standings_of, take

if TYPE_CHECKING:
    from redis import Redis

    from bridge.operating.operation import Operations
    from tests.world import World

CONTACT = contacts.ContactQuery(HERE, "contact")


def human(redis: Redis) -> None:
    """Let a person write to the contact now."""
    words = OutboundMessage(
        id=MessageId("h1"),
        location_id=LANE.location_id,
        contact_id=LANE.contact_id,
        conversation_id=message().conversation_id,
        user_id="u1",
        source="app",
        type="TYPE_SMS",
        text="I am a person",
        date_added_ms=now_ms(redis),
    )
    standings_of(redis).observe(LANE, [words])


@pytest.mark.parametrize("id_", ["contact", "conversation-contact"])
def test_a_paused_conversation_is_skipped_until_it_is_resumed(world: World, perform: Operations, id_: str) -> None:
    """It works with the id of the conversation or of its contact; the reason is conversation_paused."""
    world.write("m1")
    assert perform(conversations.pause, ConversationQuery(id_)).known
    world.work()
    assert world.status("m1") == ("skipped", "conversation_paused")
    assert perform(conversations.show, ConversationQuery(id_)).standing.paused_since

    perform(conversations.resume, ConversationQuery(id_))
    world.write("m2")
    world.work()

    assert world.status("m2") == ("replied", "")
    assert perform(conversations.show, ConversationQuery(id_)).standing.paused_since is None


def test_what_was_never_heard_of_can_be_paused(world: World, perform: Operations) -> None:
    """A pause before the first message counts from it on, and can be lifted again."""
    assert not perform(conversations.pause, ConversationQuery("contact")).known
    world.write()
    world.work()

    assert world.status() == ("skipped", "conversation_paused")


def test_an_id_that_is_neither_known_nor_paused_can_not_be_resumed(redis: Redis, perform: Operations) -> None:
    """Such an id can't be shown either."""
    keep(redis)
    for operation in (conversations.resume, conversations.show):
        with pytest.raises(NotKnown):
            perform(operation, ConversationQuery("nobody"))


def test_a_takeover_is_shown_and_ended(redis: Redis, perform: Operations) -> None:
    """Its author and its end are shown; `resume` gives the conversation back to the bridge."""
    keep(redis)
    accept(redis, message())
    human(redis)

    shown = perform(conversations.show, ConversationQuery("contact")).standing
    assert "a person wrote h1" in (shown.taken_over or "")
    assert shown.human_spoke_at

    perform(conversations.resume, ConversationQuery("contact"))
    assert perform(conversations.show, ConversationQuery("contact")).standing.taken_over is None


def test_what_waits_and_who_works_is_shown(redis: Redis, perform: Operations) -> None:
    """It shows the number of messages, their due time, and whether a worker has them."""
    keep(redis, debounce=1000.0, most=1000.0)
    accept(redis, message("m1"), message("m2"))
    shown = perform(conversations.show, ConversationQuery("m1"))
    assert (shown.waiting, shown.working, len(shown.messages)) == (2, False, 2)
    assert shown.due_at

    keep(redis)
    accept(redis, message("m3", "other"))
    take(lanes_of(redis), message("m3", "other").lane)
    assert perform(conversations.show, ConversationQuery("other")).working


def test_a_stop_is_shown_and_lifted(redis: Redis, perform: Operations) -> None:
    """`allow` has the effect of START for every channel, and names the channels that were stopped."""
    keep(redis)
    assert accept(redis, message("m1", text="STOP")) == ["stop_word"]
    assert list(perform(contacts.show, CONTACT).standing.stopped) == ["SMS"]

    assert perform(contacts.allow, CONTACT).channels == ("SMS",)

    assert perform(contacts.show, CONTACT).standing.stopped == {}
    assert perform(contacts.allow, CONTACT).channels == ()


def test_an_unknown_contact_is_not_shown(redis: Redis, perform: Operations) -> None:
    """This holds for contacts of unknown locations too, and their opt-outs can't be lifted."""
    keep(redis)
    with pytest.raises(NotKnown):
        perform(contacts.show, CONTACT)
    for operation in (contacts.show, contacts.allow):
        with pytest.raises(NotKnown):
            perform(operation, contacts.ContactQuery("nowhere", "contact"))
