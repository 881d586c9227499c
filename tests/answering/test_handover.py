"""Handovers with real servers: the contact is informed once, staff sees why, and the agent stays silent afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.model import ContactUpdate, ConversationId, MessageId, OutboundMessage
from bridge.store.lanes.handovers import open_handovers
from bridge.store.lanes.standings import contact_args
from bridge.store.redis.connection import now_ms
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import prefix_of
from tests.keys import key
from tests.stored import LANE, RETENTION_MS, pass_time, standings_of
from tests.world import COMPLETE, CONTACT, POST, TAGS, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from tests.world import World

CONVERSATION = f"conversation-{LANE.contact_id}"
MESSAGE = "A colleague will write to you soon."
REPLIED, NO_REPLY, TAKEN = ("replied", ""), ("no_reply", "handover"), ("skipped", "human_takeover")
TOOL = {"output": "", "response": {"messages": [], "toolCalls": [{"name": "handover"}]}}


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        yield world


def asking(world: World, text: str = "", *, webhook: dict[str, Any] | None = None, **handover: Any) -> None:
    """Let the service ask for a person, with a text in its answer."""
    world.keep(handover={"marker": "[[H]]", **handover})
    world.answer = {"run": {**TOOL, "output": text}}
    if webhook is not None:
        world.keep(handover=handover, provider="webhook", webhook={"url": world.url + COMPLETE})
        world.answer = webhook


def comments(world: World) -> list[str]:
    return [each["message"] for each in world.asked(POST) if each["type"] == "InternalComment"]


def messages(world: World) -> list[str]:
    return [each["message"] for each in world.asked(POST) if each["type"] != "InternalComment"]


def facts(world: World) -> str:
    (event,) = [event for event in world.events() if event.step == "skipped"]
    return str(event.details["facts"])


def assigned(world: World) -> list[Any]:
    return [each for each in world.asked(CONTACT) if each]


@pytest.mark.parametrize(
    ("text", "message", "posted", "status"),
    [
        ("", "", [], NO_REPLY),
        ("", MESSAGE, [MESSAGE], REPLIED),
        ("Of course.", "", ["Of course."], REPLIED),
        ("Of course.", MESSAGE, ["Of course.", MESSAGE], REPLIED),
    ],
)
def test_the_contact_is_told_once_and_left_to_people(
    world: World, text: str, message: str, posted: list[str], status: tuple[str, str]
) -> None:
    """The agent's text and the location's message are sent; the next message is skipped without a completion."""
    asking(world, text, message=message)
    world.write()
    world.work()
    assert (messages(world), world.status(), len(world.inputs())) == (posted, status, 1)
    assert world.steps().count("handover") == 1
    world.write("m2")
    world.work()
    assert (messages(world), world.status("m2"), len(world.inputs())) == (posted, TAKEN, 1)
    assert facts(world).startswith("the agent asked for a person at ")


def test_the_last_line_asks_too(world: World) -> None:
    """A marker on the last line is removed and counts like a tool call."""
    asking(world)
    world.answer = {"run": {"output": "One moment.\n[[H]]"}}
    world.write()
    world.work()
    assert (messages(world), world.status(), world.steps().count("handover")) == (["One moment."], REPLIED, 1)


def test_tag_and_assignment_are_set_and_staff_sees_why(world: World) -> None:
    """Both happen once; the note is a comment, which the contact doesn't see and no timeline contains."""
    asking(world, webhook={"handover": True, "note": "wants a refund"}, tag="vip", assign_to="u1", message=MESSAGE)
    world.write()
    world.work()
    assert (world.tags(), assigned(world)) == ([["vip"]], [{"assignedTo": "u1"}])
    assert (messages(world), comments(world)) == ([MESSAGE], ["The AI agent asks for a person: wants a refund"])
    assert world.status() == REPLIED
    assert "refund" not in str(world.events())


@pytest.mark.parametrize("path", [TAGS, CONTACT])
def test_a_refused_tag_or_assignment_costs_nothing(world: World, path: str) -> None:
    """The fault is logged; the contact still gets the message and is left to people."""
    asking(world, tag="vip", assign_to="u1", message=MESSAGE)
    world.refusing[path] = 422
    world.write()
    world.work()
    assert (messages(world), world.status(), len(open_handovers(world.redis))) == ([MESSAGE], REPLIED, 1)


def test_a_guard_speaks_against_the_message_and_staff_is_told_all_the_same(world: World) -> None:
    """If do-not-disturb is set during the completion, nothing is sent; tag and list are as configured."""
    asking(world, tag="vip", message=MESSAGE)
    told = ContactUpdate(location_id=LANE.location_id, contact_id=LANE.contact_id, at_ms=now_ms(world.redis), dnd=True)
    world.meanwhile = lambda: world.redis.register_script(script("contact"))(
        keys=[prefix_of(LANE)], args=contact_args(told, RETENTION_MS)
    )
    world.write()
    world.work()
    assert (messages(world), world.status()) == ([], ("skipped", "dnd"))
    assert (world.tags(), len(open_handovers(world.redis))) == ([["vip"]], 1)


def test_a_person_who_wrote_meanwhile_has_it_already(world: World) -> None:
    """If a person wrote meanwhile, nothing is sent, tagged or listed."""
    asking(world, tag="vip", message=MESSAGE)
    world.meanwhile = lambda: speaks(world)
    world.write()
    world.work()
    assert (messages(world), world.tags(), world.status(), open_handovers(world.redis)) == ([], [], TAKEN, ())


def speaks(world: World) -> None:
    """Let a person write in GHL, and an event report it."""
    one = OutboundMessage(
        id=MessageId("o1"),
        location_id=LANE.location_id,
        contact_id=LANE.contact_id,
        conversation_id=ConversationId(CONVERSATION),
        type="TYPE_SMS",
        text="I take over",
        user_id="staff",
        date_added_ms=now_ms(world.redis),
    )
    standings_of(world.redis).observe(LANE, [one])


def test_a_message_of_unknown_outcome_is_read_back_and_not_said_again(world: World) -> None:
    """The post's answer is lost; the next attempt finds the message in the conversation, and leaves the contact to people."""
    asking(world, message=MESSAGE, tag="vip")
    world.write()
    world.refusing[POST] = 500
    world.work(readback=(0.0,))
    assert (world.status()[0], open_handovers(world.redis)) == ("retrying", ())
    del world.refusing[POST]
    world.listed = [world.row(MESSAGE, "r1")]
    pass_time(world.redis, 2)
    world.work(readback=(0.0,))
    assert (messages(world), world.status(), len(world.inputs()), world.tags()) == ([MESSAGE], REPLIED, 1, [["vip"]])


@pytest.mark.parametrize("seconds", [3600, -1])
def test_the_silence_lasts_as_long_as_wanted(world: World, seconds: int) -> None:
    """When the time is over or an operator resumes, the contact is answered again and no longer listed."""
    asking(world, seconds=seconds)
    world.write()
    world.work()
    assert [one.lane for one in open_handovers(world.redis)] == [LANE]
    assert (world.redis.ttl(key("standing", str(LANE))) == -1) is (seconds == -1)
    if seconds < 0:
        assert standings_of(world.redis).resume(LANE.contact_id)
    else:
        world.redis.hincrby(key("standing", str(LANE)), "handover_at", -3_600_001)
        world.redis.hincrby(key("standing", str(LANE)), "handover_until", -3_600_001)
        world.redis.zincrby(key("handovers"), -3_600_001, str(LANE))
    assert open_handovers(world.redis) == ()
    world.answer = {}
    world.write("m2")
    world.work()
    assert world.status("m2") == REPLIED


def test_no_seconds_is_no_silence(world: World) -> None:
    """With 0 seconds staff is informed, and the agent continues."""
    asking(world, seconds=0, message=MESSAGE, tag="vip")
    world.write()
    world.work()
    world.answer = {}
    world.write("m2")
    world.work()
    assert (world.tags(), world.status("m2"), open_handovers(world.redis)) == ([["vip"]], REPLIED, ())


def test_a_person_who_writes_takes_it_off_the_list(world: World) -> None:
    """The event of a person's message removes the contact from the list; the agent stays silent."""
    asking(world)
    world.write()
    world.work()
    speaks(world)
    assert open_handovers(world.redis) == ()
    world.write("m2")
    world.work()
    assert world.status("m2") == TAKEN


def test_a_draft_is_one_comment_and_no_silence(world: World) -> None:
    """Where replies are drafts, staff answers anyway, so the handover is one comment and no silence."""
    asking(world, "Of course.", message=MESSAGE)
    world.keep(mode="draft", handover={"message": MESSAGE})
    world.write()
    world.work()
    assert (comments(world), messages(world)) == ([f"Of course.\n\n{MESSAGE}"], [])
    world.write("m2")
    world.work()
    assert world.status("m2") == REPLIED
