"""Echoes with real servers: GHL's reports about a turn's own messages while the turn is in progress."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from bridge.model import Channel, ConversationId, MessageId, OutboundMessage
from bridge.store.redis.connection import now_ms
from tests.keys import card, key
from tests.stored import HERE, LANE, accept, dead_letters_of, due_ms, eventually, message, pass_question, pass_time, standings_of
from tests.world import AGENCII, COMPLETE, CONVERSATION, LIST, POST, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from tests.world import World


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        yield world


def echo(world: World, id_: str, text: str, **fields: Any) -> None:
    """Let GHL report an outbound message."""
    given: dict[str, Any] = {"type": "TYPE_SMS", "date_added_ms": now_ms(world.redis), "source": "app", **fields}
    message = OutboundMessage(
        id=MessageId(id_),
        location_id=LANE.location_id,
        contact_id=LANE.contact_id,
        conversation_id=ConversationId(CONVERSATION),
        text=text,
        **given,
    )
    standings_of(world.redis).observe(LANE, [message])


def test_the_echo_of_a_failure_message_closes_no_dead_letter(world: World) -> None:
    """The failure message is not an answer: the dead letter stays open and can be replayed."""
    world.keep(failure_message="Somebody will call you.")
    world.write()
    world.refusing |= {COMPLETE: 400, POST: 500}
    world.work()
    dead_letter = world.dead_letter()
    echo(world, "f1", "Somebody will call you.")
    assert world.status() == ("dead", "")
    assert dead_letters_of(world.redis).replay(dead_letter, force=False) == "replayed"


@pytest.mark.parametrize("mode", ["live", "draft"])
def test_a_dead_letter_that_its_echo_closes_is_a_reply_like_any_other(world: World, mode: str) -> None:
    """Question and reply are in the history and count towards the limit; a draft does not, because only staff has seen it."""
    world.keep(takeover_seconds=0, mode=mode, max_replies_per_day=1)
    world.write()
    world.refusing[POST] = 500
    world.work(readback=(0.0,))
    world.refusing.clear()
    world.listed = [world.row("something else", "o1")]
    pass_time(world.redis, 2)
    world.work(readback=(0.0,))
    assert world.status() == ("dead", "")
    echo(world, "r9", "answer 1", **({"type": "TYPE_INTERNAL_COMMENT"} if mode == "draft" else {}))
    assert world.status() == ("replied", "")
    said = [(one.role, one.content) for one in standings_of(world.redis).said(LANE, 10)]
    assert said == [("user", "text of m1"), ("assistant", "answer 1")][: 2 if mode == "live" else 1]
    world.write("m2")
    world.work()
    assert world.status("m2") == ("skipped", "reply_cap")


def test_what_a_closed_dead_letter_took_along_is_not_asked_about_again(world: World) -> None:
    """The texts of an older dead letter were in its question, so they count as answered and are in the history."""
    world.keep(takeover_seconds=0)
    world.refusing[COMPLETE] = 400
    world.write("m1")
    world.work()
    world.refusing = {POST: 500}
    world.write("m2")
    world.work(readback=(0.0,))
    world.refusing.clear()
    world.listed = [world.row("something else", "o1")]
    pass_time(world.redis, 2)
    world.work(readback=(0.0,))
    assert (world.status("m1"), world.status("m2")) == (("skipped", "superseded"), ("dead", ""))
    echo(world, "r9", "answer 2")
    world.listed.clear()
    # What is of one millisecond has no order.
    heard_at = now_ms(world.redis)
    eventually(lambda: now_ms(world.redis) > heard_at)
    world.write("m3")
    world.work()
    assert world.inputs()[1:] == ["text of m1\ntext of m2", "text of m3"]
    said = [one.content for one in standings_of(world.redis).said(LANE, 10)]
    assert said == ["text of m1", "text of m2", "answer 2", "text of m3", "answer 3"]


def test_a_delivery_heard_of_amid_the_bridges_own_parts_ends_the_turn(world: World) -> None:
    """The provider has delivered the complete answer: no further part is posted, and the turn ends."""
    whole = " ".join(f"Sentence number {number}." for number in range(120))
    world.keep(assistable={"delivery": "auto"}, sms_max_segments=30, takeover_seconds=0)
    world.completion = {"output": whole}
    world.refusing[POST] = 500
    world.write()
    world.work(readback=(0.0,))
    world.refusing.clear()
    echo(world, "g1", whole)
    world.listed = [world.row(whole, "g1")]
    for _ in range(2):
        pass_time(world.redis, 2)
        time.sleep(0.02)
        if due_ms(world.redis) is not None:
            world.work(readback=(0.0,))
    assert (world.status()[0], len(world.posts())) == ("delivered_by_provider", 1)
    assert not card(world.redis, "dead")


@pytest.mark.parametrize("mode", ["live", "draft"])
def test_a_reply_that_its_echo_settled_is_in_the_history(world: World, mode: str) -> None:
    """The contact knows a reply whose post had no answer, so the next question contains it; a draft is known only to staff."""
    world.keep(takeover_seconds=0, mode=mode)
    world.write()
    world.refusing[POST] = 500
    world.work(readback=(0.0,))
    world.refusing.clear()
    echo(world, "r9", "answer 1", **({"type": "TYPE_INTERNAL_COMMENT"} if mode == "draft" else {}))
    world.work(readback=(0.0,))
    said = [(one.role, one.content) for one in standings_of(world.redis).said(LANE, 10)]
    assert (world.status(), len(world.posts())) == (("replied", ""), 1)
    assert said == [("user", "text of m1"), ("assistant", "answer 1")][: 2 if mode == "live" else 1]


def test_a_person_is_heard_once_a_lost_call_is_proven_to_have_delivered_nothing(world: World) -> None:
    """After the proof no call is in progress, so a person who writes while the fallback is asked takes over."""
    world.keep(assistable={"delivery": "auto"}, fallback_provider="agencii", history_messages=0)
    world.redis.hset(key("location", HERE), "marketplace_at", now_ms(world.redis))
    world.refusing[COMPLETE] = 500
    world.write()
    world.work(readback=(0.0,))
    pass_question(world.redis)
    pass_time(world.redis, 2)
    time.sleep(0.02)
    world.meanwhile = lambda: echo(world, "o1", "I take over")
    world.work(readback=(0.0,))
    assert (len(world.asked(AGENCII)), world.posts(), world.status()) == (1, [], ("skipped", "human_takeover"))


def test_a_provider_that_delivers_in_other_words_is_no_takeover(world: World) -> None:
    """With `delivery = provider` the delivered text may differ from the answer; a message that a person sends still counts."""
    world.keep(assistable={"delivery": "provider"})
    world.completion = {"output": "First **part**. Second part."}
    world.write()
    world.work()
    echo(world, "g1", "First part.")
    echo(world, "g2", "Second part.")
    world.write("m2")
    world.work()
    assert world.status("m2")[1] != "human_takeover"
    echo(world, "g3", "This is Ann, I take over.", user_id="ann")
    world.write("m3")
    world.work()
    assert world.status("m3") == ("skipped", "human_takeover")


def test_a_stop_of_an_untold_channel_stops_them_all(world: World) -> None:
    """If a workflow webhook names no channel, the opt-out counts at once for all channels."""
    world.keep()
    hooked = message("w1", text="stop", provisional=True, conversation_id=ConversationId(""), message_type_string="")
    assert accept(world.redis, hooked) == ["stop_word"]
    world.write("m2", text="hello?", channel=Channel.WHATSAPP, message_type="WhatsApp", message_type_string="TYPE_WHATSAPP")
    world.work()
    assert (world.posts(), world.status("m2")) == ([], ("skipped", "stop_word"))


def test_a_delivery_heard_of_before_the_post_is_not_made_stale_by_a_newer_message(world: World) -> None:
    """The provider has answered: a message that arrived meanwhile is the next turn, and the first is not answered twice."""
    world.keep(assistable={"delivery": "auto"}, history_messages=0)

    def meanwhile() -> None:
        world.write("m2")
        echo(world, "g1", "answer 1")

    # The guards of the post read what GHL lists: the answer is saved, and nothing is posted yet.
    world.during[LIST, 2] = meanwhile
    world.write("m1")
    world.redis.hdel(key("location", HERE), "marketplace_at")
    world.work()
    assert (world.status("m1"), world.inputs(), world.posts()) == (("delivered_by_provider", ""), ["text of m1"], [])
    pass_time(world.redis, 1)
    world.work()
    assert (world.inputs(), world.posts()) == (["text of m1", "text of m2"], ["answer 2"])
