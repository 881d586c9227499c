"""Timelines: every id leads to all events, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import Unavailable
from bridge.model import Again, Completion, Dead, Ended, MessageId, Reason, Status
from bridge.store.lanes.timelines import Timelines
from bridge.store.redis.connection import connect_without_retries
from tests.stored import LANE, accept, keep, lanes_of, message, part, posted, take

if TYPE_CHECKING:
    from redis import Redis

M1, M2, M3 = MessageId("m1"), MessageId("m2"), MessageId("m3")
R1 = MessageId("r1")


@pytest.fixture
def timelines(redis: Redis) -> Timelines:
    """A lane with a retry, a skip, a reply and a dead letter."""
    keep(redis)
    lanes = lanes_of(redis)
    accept(redis, message("m1"), message("m2"))
    lanes.again(take(lanes), [M1, M2], Again(wait=0, why="busy"))
    turn = take(lanes)
    lanes.skip(turn, Ended(status=Status.SKIPPED, message_ids=(M2,), reason=Reason.BLANK, facts="no text"))
    lanes.asking(turn, [M1], at_ms=1, may_deliver=False, circuit="c", seconds=1)
    lanes.answered(turn, [M1], Completion(text="a secret text", trace_id="trace"), at_ms=2, seconds=1.23456)
    lanes.sending(turn, part("0"), revision=0, at_ms=3, channel="SMS")
    lanes.sent(turn, posted(part("0"), [R1], at_ms=4, how="posted"))
    lanes.end(turn, Ended(status=Status.REPLIED, message_ids=(M1,), reply_message_ids=(R1,)))
    accept(redis, message("m3"))
    lanes.write_dead_letter(take(lanes), [M3], Dead(error="refused"), answer=None, at_ms=5)
    return Timelines(redis)


@pytest.mark.parametrize("id_", ["m1", "m2", "m3", "contact", "conversation-contact", "r1"])
def test_every_id_leads_to_the_story(timelines: Timelines, id_: str) -> None:
    """The ids of a message, a contact, a conversation and a reply lead to the lane."""
    timeline = timelines.find(id_)
    assert timeline
    assert timeline.lane == LANE


def test_the_story_is_told_in_order(timelines: Timelines) -> None:
    """Every step is there once, in order, with its details and without text."""
    timeline = timelines.find("m1")
    assert timeline
    assert [event.step for event in timeline.events] == [
        *("accepted", "accepted", "retrying", "skipped", "asking", "answered", "sending", "sent", "replied"),
        *("accepted", "dead"),
    ]
    moments = [event.at_ms for event in timeline.events]
    assert moments == sorted(moments)
    answered = timeline.events[5].details
    assert (answered["characters"], answered["seconds"], answered["trace_id"]) == (13, 1.235, "trace")
    assert "secret" not in repr(timeline)


def test_each_message_has_its_outcome(timelines: Timelines) -> None:
    """The outcome of each message, its reason, and its replies."""
    timeline = timelines.find("contact")
    assert timeline
    told = {one.id: (one.status, one.reason, one.facts, one.error, one.reply_ids) for one in timeline.messages}
    assert told == {
        "m1": ("replied", "", "", "", ("r1",)),
        "m2": ("skipped", "blank", "no text", "", ()),
        "m3": ("dead", "", "", "refused", ()),
    }
    assert {one.conversation_id for one in timeline.messages} == {"conversation-contact"}


def test_an_unknown_id_has_no_story(timelines: Timelines) -> None:
    """An unknown id is None, and so is an empty one."""
    assert timelines.find("nobody") is None
    assert timelines.find("") is None


def test_a_long_story_keeps_its_newest_part(redis: Redis) -> None:
    """A timeline is bounded, and has the newest events."""
    keep(redis)
    accept(redis, *(message(f"m{number}") for number in range(520)))
    timeline = Timelines(redis).find("m519")
    assert timeline
    assert len(timeline.events) == 500
    assert timeline.events[-1].details["message_id"] == "m519"
    oldest = Timelines(redis).find("m0")
    assert oldest
    assert (oldest.messages[0].id, oldest.messages[0].status) == ("m0", "waiting")


def test_without_redis_there_is_no_story() -> None:
    """Reading reports that Redis can't be reached."""
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere, pytest.raises(Unavailable, match="of m1"):
        Timelines(nowhere).find("m1")
