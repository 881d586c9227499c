"""GHL's delivery reports about a reply that it has accepted, with real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.ghl.channels import find_kind
from bridge.metrics import DELIVERIES
from bridge.model import ConversationId, MessageId, OutboundMessage
from bridge.operating.explain import document
from bridge.store.figures.counts import Counts
from bridge.store.figures.deliveries import failing, undelivered
from bridge.store.lanes.timelines import Timelines
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.stored import HERE, LANE, standing_of, standings_of
from tests.world import CONVERSATION, POST, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from tests.world import World


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        world.keep(takeover_seconds=0)
        yield world


def told(world: World, status: str, *, id_: str = "r1", text: str = "answer 1", type_: str = "TYPE_SMS") -> None:
    """Let GHL report the delivery state of a message."""
    kind = find_kind(type_, "", None)
    message = OutboundMessage(
        id=MessageId(id_),
        location_id=LANE.location_id,
        contact_id=LANE.contact_id,
        conversation_id=ConversationId(CONVERSATION),
        type=type_,
        text=text,
        date_added_ms=now_ms(world.redis),
        source="app",
        status=status,
        channel=kind.channel if kind else "",
    )
    standings_of(world.redis).observe(LANE, [message])


def delivery(world: World, id_: str = "m1") -> str | None:
    """The delivery of the reply to a message, as `explain` shows it."""
    timeline = Timelines(world.redis).find(id_)
    assert timeline
    return next(one.delivery for one in document(timeline).messages if one.message_id == id_)


def counts(world: World, channel: str = "SMS") -> tuple[int, ...]:
    """The counts of replies: accepted, delivered, undelivered."""
    totals = Counts(world.redis).totals()
    return tuple(totals.get(DELIVERIES.field(channel, one), 0) for one in ("accepted", "delivered", "undelivered"))


def reply(world: World) -> None:
    """One message and its reply, which has the id r1 in GHL."""
    world.write()
    world.work()
    assert world.status() == ("replied", "")


def test_a_reply_that_ghl_took_is_accepted_and_no_more(world: World) -> None:
    """Before its reply a message has no delivery; after GHL's 2xx it is `accepted`, and `pending` changes nothing."""
    world.receipt = {"messageId": "r1", "status": "pending"}
    world.write()
    assert delivery(world) is None
    world.work()
    assert (delivery(world), counts(world)) == ("accepted", (1, 0, 0))


@pytest.mark.parametrize(
    ("words", "expected", "counted"),
    [
        (["sent", "queued", "scheduled", "a new word"], "accepted", (1, 0, 0)),
        (["delivered", "read", "opened", "clicked", "connected"], "delivered", (1, 1, 0)),
        (["failed"], "undelivered", (1, 0, 1)),
        (["undelivered", "failed", "sent", "delivered", "read"], "undelivered", (1, 0, 1)),
        (["delivered", "failed", "delivered"], "undelivered", (1, 1, 1)),
        (["pending", "Failed", "failed"], "undelivered", (1, 0, 1)),
    ],
)
def test_words_in_any_order_and_repeated_come_to_one_delivery(
    world: World, words: list[str], expected: str, counted: tuple[int, ...]
) -> None:
    """The highest state counts, each transition is counted once, and an undelivered reply never becomes accepted again."""
    reply(world)
    for word in words:
        told(world, word)
    assert (delivery(world), counts(world)) == (expected, counted)
    assert world.steps().count("undelivered") == (expected == "undelivered")
    assert len(world.posts()) == 1


def test_an_undelivered_reply_is_told_and_listed_and_not_sent_again(world: World) -> None:
    """The timeline names the reply and GHL's status, the list names the contact; nothing waits, and nothing is posted."""
    reply(world)
    told(world, "failed")
    [event] = [one for one in world.events() if one.step == "undelivered"]
    assert event.details == {"reply_ids": ["r1"], "status": "failed", "channel": "SMS"}
    [one] = undelivered(world.redis)
    assert (one.lane, one.reply_id, one.channel) == (LANE, "r1", "SMS")
    assert world.status() == ("replied", "")
    assert not world.redis.exists(key("waiting", str(LANE)))
    assert len(world.posts()) == 1


def test_a_failure_that_is_told_before_the_posts_answer_counts(world: World) -> None:
    """If GHL's event arrives before its answer to the post, the reply is sent once, and undelivered."""
    world.during[POST, 1] = lambda: told(world, "failed")
    reply(world)
    assert (delivery(world), counts(world), len(world.posts())) == ("undelivered", (1, 0, 1), 1)


def test_a_failure_in_other_words_that_is_told_before_the_posts_answer_counts(world: World) -> None:
    """If GHL changed the text, the id in its answer shows that the failed message is the bridge's."""
    world.keep()
    world.during[POST, 1] = lambda: told(world, "failed", text="answer 1, with a shorter link")
    reply(world)
    assert (delivery(world), counts(world)) == ("undelivered", (1, 0, 1))
    assert "heard" not in world.steps()


@pytest.mark.parametrize(("word", "expected"), [("failed", "undelivered"), ("delivered", "delivered")])
def test_what_the_posts_own_answer_tells_counts(world: World, word: str, expected: str) -> None:
    """GHL's answer to a post may contain the delivery state."""
    world.receipt = {"messageId": "r1", "status": word}
    reply(world)
    assert delivery(world) == expected


def test_an_opt_out_stops_its_channel_once(world: World) -> None:
    """If the carrier reports an opt-out, the channel is stopped; the same report after START changes nothing."""
    reply(world)
    told(world, "failed")
    told(world, "opt_out")
    assert set(standing_of(world.redis, LANE, CONVERSATION).stopped) == {"SMS"}
    assert (delivery(world), counts(world)) == ("undelivered", (1, 0, 1))
    world.write("m2")
    world.work()
    assert world.status("m2") == ("skipped", "stop_word")
    standings_of(world.redis).allow(LANE)
    told(world, "opt_out")
    assert not standing_of(world.redis, LANE, CONVERSATION).stopped


def test_an_email_is_one_reply_by_whichever_id_ghl_calls_it(world: World) -> None:
    """GHL's answer has two ids for an e-mail, and its event one of them."""
    world.keep(channels=["Email"], takeover_seconds=0)
    world.receipt = {"messageId": "r1", "emailMessageId": "e1"}
    world.write(channel="Email", message_type="Email", message_type_string="TYPE_EMAIL")
    world.work()
    told(world, "opened", id_="e1", text="", type_="TYPE_EMAIL")
    told(world, "opened", id_="r1", text="", type_="TYPE_EMAIL")
    assert (delivery(world), counts(world, "Email")) == ("delivered", (1, 1, 0))


def test_a_reply_in_parts_is_delivered_when_all_of_them_are(world: World) -> None:
    """One undelivered part makes the reply undelivered, whatever the state of the others."""
    world.keep(takeover_seconds=0, sms_max_segments=30)
    world.completion = {"output": " ".join(f"Sentence number {number}." for number in range(120))}
    world.write()
    world.work()
    ids = [f"r{number + 1}" for number in range(len(world.posts()))]
    assert len(ids) > 1
    told(world, "delivered", id_=ids[0], text="")
    assert delivery(world) == "accepted"
    for id_ in ids[1:]:
        told(world, "delivered", id_=id_, text="")
    assert delivery(world) == "delivered"
    told(world, "failed", id_=ids[0], text="")
    assert (delivery(world), counts(world)) == ("undelivered", (len(ids), len(ids), 1))


def test_what_somebody_else_sent_has_no_delivery_here(world: World) -> None:
    """An undelivered message of a person is not the bridge's."""
    reply(world)
    told(world, "failed", id_="h1", text="Call me")
    assert (delivery(world), counts(world)) == ("accepted", (1, 0, 0))
    assert undelivered(world.redis) == ()


def test_a_draft_is_not_counted_as_taken_by_a_channel(world: World) -> None:
    """A comment has no delivery, whatever GHL's answer or event says."""
    world.keep(mode="draft")
    world.receipt = {"messageId": "r1", "conversationId": CONVERSATION, "status": "delivered"}
    reply(world)
    told(world, "delivered", type_="InternalComment")
    assert (counts(world), delivery(world)) == ((0, 0, 0), "accepted")


def test_undelivered_replies_of_an_hour_are_compared_with_those_that_ghl_took(world: World) -> None:
    """An alert compares, per location, the messages that GHL accepted within an hour with those that were not delivered."""
    reply(world)
    world.write("m2")
    world.work()
    told(world, "failed")
    found = failing(world.redis)[HERE]
    assert (found.undelivered, found.taken, found.share) == (1, 2, 0.5)


def test_a_429_that_is_waited_out_within_a_post_is_a_step(world: World) -> None:
    """The timeline contains GHL's refusal of the first attempt, and the wait before the second."""
    world.refusing[POST] = 429
    world.retry_after = "0"
    world.during[POST, 2] = world.refusing.clear
    reply(world)
    steps = world.steps()
    assert steps[steps.index("sending") :][:3] == ["sending", "waited_out", "sending"]
    [event] = [one for one in world.events() if one.step == "waited_out"]
    assert (event.details["part"], "429" in event.details["why"]) == ("0", True)
    assert (steps.count("sent"), len(world.posts())) == (1, 2)
