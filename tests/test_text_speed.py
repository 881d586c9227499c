"""Texts of strangers: a megabyte of harmless letters and marks takes no function longer than its length explains."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from bridge.completion import answer_forms, inner_words, sentences, status_words, text
from bridge.ghl import events, fields
from bridge.ghl.email.own_words import own_text
from bridge.model import Channel, ContactId, ConversationId, InboundMessage, LocationId, MessageId, OutboundMessage
from bridge.policy import auto_reply, consent, excerpt, formatting, normalise, reactions
from bridge.policy.formatting import markdown, sms
from bridge.store.lanes.inbox import Inbox, accepted_event, came
from bridge.store.lanes.outbound import ON_LOOP_CHARACTERS, heard
from bridge.store.redis.connection import connect_async
from tests.stored import keep

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

MEGABYTE = 1_000_000
# What one function may hold an event loop up for (s of CPU, on the machine that the yardstick was read on).
MOST_ON_LOOP = 0.05
# Four times the text: linear is four, quadratic sixteen. Below the least time a measurement says nothing.
MOST_GROWTH, LEAST_SECONDS, LONG_ENOUGH = 9.0, 0.005, 0.1

SHAPES = (
    *("<", "<a", "< ", "</a", "<!--", "<br>", ">\n", "&amp", "&#", "[", "[a](", "](", "{", '"', "“", "'", "`", "```\n"),
    *("a", "a ", "a. ", ". ", "1. ", "...", "!", "-", "- ", "*", "**a", "_", "# ", "|", "@", "a@b.", "http://", "\n", " ", "\t"),
    *(
        "İ",
        "e\u0301",
        "ﷺ",
        "漢",
        "😀",
        "🇩",
        "\u200b",
        "\u200d",
        "<think>",
        "Thought:",
        "From: a\n",
        "On a wrote:\n",
        "\ue200",
        "\x00",
    ),
)

FUNCTIONS: dict[str, Callable[[str], object]] = {
    "same": lambda said: normalise.same(said, said),
    "digest": normalise.digest,
    "plain": normalise.plain,
    "forms": consent.forms,
    "is_reaction": reactions.is_reaction,
    "auto_reply": lambda said: auto_reply.judge_auto_reply(inbound("", channel=Channel.EMAIL, subject=said, sender=said)),
    "excerpt": lambda said: excerpt.excerpt(said.encode(), excerpt.Known(texts=(said[:1000],), secrets=("a-secret",))),
    "clean": text.clean,
    "visible": inner_words.visible,
    "unfenced": answer_forms.unfenced,
    "whole_sentences": sentences.whole_sentences,
    "cure_of_words": status_words.cure_of_words,
    "own_text": own_text,
    "fields.text": lambda said: fields.text(said, limit=events.MAX_TEXT),
    "markdown.clean": markdown.clean,
    "sms.fold": sms.fold,
    "count_segments": sms.count_segments,
    "shape for SMS": lambda said: formatting.shape(said, Channel.SMS, sms_max_segments=3),
    "shape for e-mail": lambda said: formatting.shape(said, Channel.EMAIL, sms_max_segments=3),
    "heard": lambda said: heard(outbound(said)),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_time_grows_as_the_text_does(name: str) -> None:
    """Four times the text takes about four times as long, whatever it is made of: no pattern is tried anew at each letter."""
    slow = [found for shape in SHAPES if (found := grows_too_fast(FUNCTIONS[name], shape))]
    assert slow == []


@pytest.mark.parametrize("shape", SHAPES)
def test_what_the_receivers_loop_works_on_is_done_at_once(shape: str) -> None:
    """The longest text that is taken in on the loop holds it up for 50 ms at most, of the processor's time."""
    message = inbound((shape * events.MAX_TEXT)[: events.MAX_TEXT])
    assert cpu_seconds(lambda said: came(said, accepted_event(said)), message) <= MOST_ON_LOOP
    posted = outbound((shape * ON_LOOP_CHARACTERS)[:ON_LOOP_CHARACTERS])
    assert cpu_seconds(heard, posted) <= MOST_ON_LOOP


def test_a_long_outbound_text_is_no_work_for_the_loop(redis: Redis, redis_url: str) -> None:
    """What is longer is normalised in a thread: the loop's own thread spends less than 50 ms on a megabyte."""
    keep(redis)

    async def observe() -> float:
        async with connect_async(redis_url, seconds=5.0) as client:
            inbox = Inbox(client, retention_ms=60_000, seconds=5.0)
            await inbox.observe(outbound("warm"))
            began = time.thread_time()
            await inbox.observe(outbound("a <b & c> " * (MEGABYTE // 10)))
            return time.thread_time() - began

    assert asyncio.run(observe()) <= MOST_ON_LOOP


def test_a_digest_covers_the_whole_text() -> None:
    """Two megabytes that differ in their last letter only are two texts."""
    most = "word " * (MEGABYTE // 5)
    assert normalise.digest(most + "a") != normalise.digest(most + "b")
    assert not normalise.same("<" * MEGABYTE + "a", "<" * MEGABYTE + "b")


def grows_too_fast(function: Callable[[str], object], shape: str) -> str:
    """What is wrong with the time that texts of 15 KB to 1 MB take; a text that takes a tenth of a second is long enough."""
    whole = (shape * (MEGABYTE // len(shape) + 1))[:MEGABYTE]
    length, before = MEGABYTE // 64, cpu_seconds(function, whole[: MEGABYTE // 64])
    while length < MEGABYTE and before < LONG_ENOUGH:
        length *= 4
        after = cpu_seconds(function, whole[:length], most=MOST_GROWTH * max(before, LEAST_SECONDS))
        if after > MOST_GROWTH * max(before, LEAST_SECONDS):
            return f"{shape!r}: {length} letters took {after:.3f} s, a quarter of them {before:.3f} s"
        before = after
    return ""


def cpu_seconds(function: Callable[[Any], object], given: Any, *, most: float = MOST_ON_LOOP) -> float:
    """The first of three runs that took at most `most`, else the least; what else the machine does is not counted."""
    least = float("inf")
    for _ in range(3):
        began = time.thread_time()
        function(given)
        least = min(least, time.thread_time() - began)
        if least <= most:
            break
    return least


def inbound(said: str, **more: Any) -> InboundMessage:
    """A contact's message."""
    known: dict[str, Any] = {"channel": Channel.SMS, "message_type": "SMS", "message_type_string": "TYPE_SMS", **more}
    return InboundMessage(
        id=MessageId("m1"),
        location_id=LocationId("l1"),
        contact_id=ContactId("c1"),
        conversation_id=ConversationId("v1"),
        text=said,
        date_added_ms=1,
        **known,
    )


def outbound(said: str) -> OutboundMessage:
    """A message that left a conversation."""
    return OutboundMessage(
        id=MessageId("m2"),
        location_id=LocationId("l1"),
        contact_id=ContactId("c1"),
        conversation_id=ConversationId("v1"),
        type="TYPE_SMS",
        text=said,
        date_added_ms=1,
        user_id="",
        source="",
        call_seconds=0.0,
    )
