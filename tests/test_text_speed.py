"""Texts of strangers: a megabyte of harmless characters takes no function longer than its length explains."""

from __future__ import annotations

import ast
import asyncio
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bridge.flow import QUICKLY_PARSED_BYTES
from bridge.ghl import events, workflow
from bridge.model import ContactId, ConversationId, LocationId, MessageId, OutboundMessage
from bridge.policy import normalise
from bridge.store.lanes.inbox import Inbox, accepted_event, inbound_fields
from bridge.store.lanes.outbound import ON_LOOP_CHARACTERS, outbound_fields
from bridge.store.redis.connection import connect_async
from tests.cpu_time import cpu_seconds
from tests.stored import keep
from tests.text_functions import FUNCTIONS, inbound

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

MEGABYTE = 1_000_000
# With every commit, a function is measured with an eighth of the shapes (its neighbour with the next eighth) and shorter texts:
# a megabyte of letters that expand to eighteen each would measure the memory of a busy machine.
EACH, BY_DAY = 8, MEGABYTE // 4
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


ROOT = Path(__file__).parents[1]
ROOMS = ("bridge/policy", "bridge/completion", "bridge/ghl")
TEXTS = {"str", "bytes", "InboundMessage", "Sequence[str]", "Sequence[InboundMessage]"}
"""Types of parameters that may hold a stranger's text."""
OTHERS = {
    "completion.evidence.is_other": "ids",
    "ghl.messages.check_allowed": "a status",
    "ghl.messages.check_taken": "a status",
    "ghl.messages.decipher_search": "ids of one contact",
    "ghl.rate_limit_headers.rate_limited": "our own words",
    "ghl.refusals.version_refused": "our own words",
    "ghl.requests.ask": "a method and an address",
    "ghl.signature.read_keys": "a setting",
    "completion.faults.broken_off": "a name and a number",
    "completion.faults.lost": "our own words",
    "completion.handover.tool": "a setting",
    "completion.logins.bearer": "a setting",
    "completion.logins.given": "a setting",
    "completion.logins.token": "a setting",
    "policy.authors.author": "a type's name",
    "policy.business_hours.read": "a setting",
    "policy.delivery.delivery_of": "words of our own",
    "policy.delivery.noted_as": "a word that the event's reader has bounded",
    "policy.failover.order": "names of settings",
    "policy.failover.order_after_loss": "names of settings",
    "policy.failover.who_delivers": "a setting",
    "policy.formatting.emphasis.ends_a_clause": "one character",
    "policy.guards.age_of": "times",
    "policy.messaging_window.judge_window": "times",
    "policy.overruling.overrule": "our own word for what an operator asked for",
    "policy.overruling.overrule_standing": "our own word for what an operator asked for",
    "policy.overruling.still_holds": "our own word for what an operator asked for",
    "policy.report_entries.parse": "an entry that our scripts write",
    "policy.usage.kept_name": "a model's name, which evidence has cut",
}
"""What takes a text that nobody outside can make long, and what that is."""
BOUNDED = {"ghl.access", "ghl.channels", "ghl.oauth", "ghl.routes", "ghl.workflow_secrets"}
"""Modules whose texts are GHL's ids, names and tokens, or settings."""


def test_no_function_is_forgotten() -> None:
    """Each public function of the pure packages that takes a foreign text is timed below."""
    timed = {name.partition(",")[0] for name in FUNCTIONS}
    assert found() - timed == set()
    assert not set(OTHERS) & timed


@pytest.mark.parametrize(("number", "name"), list(enumerate(FUNCTIONS)), ids=FUNCTIONS)
def test_time_grows_as_the_text_does(number: int, name: str) -> None:
    """Four times the text takes about four times as long, so no pattern restarts at each character."""
    slow = [found for shape in SHAPES[number % EACH :: EACH] if (found := grows_too_fast(FUNCTIONS[name], shape, most=BY_DAY))]
    assert slow == []


@pytest.mark.nightly
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_time_grows_so_whatever_the_text_is_made_of(name: str) -> None:
    """This holds for each function and all shapes, up to a megabyte: minutes of CPU, so it runs nightly."""
    slow = [found for shape in SHAPES if (found := grows_too_fast(FUNCTIONS[name], shape))]
    assert slow == []


@pytest.mark.parametrize("shape", SHAPES)
def test_what_the_receivers_loop_works_on_is_done_at_once(shape: str) -> None:
    """The longest text that is accepted on the event loop blocks it for 50 ms of CPU time at most."""
    message = inbound((shape * events.MAX_TEXT)[: events.MAX_TEXT])
    assert on_loop(lambda said: inbound_fields(said, accepted_event(said)), message) <= MOST_ON_LOOP
    posted = outbound((shape * ON_LOOP_CHARACTERS)[:ON_LOOP_CHARACTERS])
    assert on_loop(outbound_fields, posted) <= MOST_ON_LOOP


@pytest.mark.parametrize("shape", SHAPES)
def test_the_longest_body_that_is_read_on_the_loop_is_read_at_once(shape: str) -> None:
    """An e-mail in GHL's event, and a workflow's webhook, take 50 ms at most; longer bodies are read in a thread."""
    event = {"type": "InboundMessage", "messageType": "Email", "direction": "inbound", "messageId": "m1", "subject": "a"}
    body = as_body(shape, **event, locationId="l1", contactId="c1", conversationId="v1", dateAdded="2026-01-01T00:00:00Z")
    assert on_loop(lambda read: events.parse(read, app_id=""), body) <= MOST_ON_LOOP
    assert on_loop(lambda read: workflow.parse(read, content_type="application/json", fresh_id="w1"), body) <= MOST_ON_LOOP


def test_a_long_outbound_text_is_no_work_for_the_loop(redis: Redis, redis_url: str) -> None:
    """It is normalised in a thread: the loop's own thread spends less than 50 ms on a megabyte."""
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
    """Two megabytes that differ only in their last character are two texts."""
    most = "word " * (MEGABYTE // 5)
    assert normalise.digest(most + "a") != normalise.digest(most + "b")
    assert not normalise.same("<" * MEGABYTE + "a", "<" * MEGABYTE + "b")


def as_body(shape: str, **fields: str) -> bytes:
    """The longest body with a text of this shape that is read on the loop."""
    length = QUICKLY_PARSED_BYTES // len(shape)
    while len(body := json.dumps({**fields, "body": shape * length}).encode()) > QUICKLY_PARSED_BYTES:
        length = length * 9 // 10
    return body


def grows_too_fast(function: Callable[[str], object], shape: str, *, most: int = MEGABYTE) -> str:
    """The error about the time for texts from 15 KB on; a text that takes a tenth of a second is long enough."""
    whole = (shape * (most // len(shape) + 1))[:most]
    length, before = MEGABYTE // 64, cpu_seconds(function, whole[: MEGABYTE // 64], most=MOST_ON_LOOP)
    while length < most and before < LONG_ENOUGH:
        length *= 4
        after = cpu_seconds(function, whole[:length], most=MOST_GROWTH * max(before, LEAST_SECONDS))
        if after > MOST_GROWTH * max(before, LEAST_SECONDS):
            return f"{shape!r}: {length} letters took {after:.3f} s, a quarter of them {before:.3f} s"
        before = after
    return ""


def on_loop(function: Callable[[Any], object], given: Any) -> float:
    """The CPU time of what an event loop does."""
    return cpu_seconds(function, given, most=MOST_ON_LOOP)


def outbound(said: str) -> OutboundMessage:
    """An outbound message."""
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


def found() -> set[str]:
    """Public functions of the pure packages that take a text, except those whose texts no stranger can make long."""
    names = set()
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            module = str(path.relative_to(ROOT / "bridge").with_suffix("")).replace("/", ".").removesuffix(".__init__")
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and _takes_text(node):
                    names.add(f"{module}.{node.name}")
    return {name for name in names if name not in OTHERS and name.rpartition(".")[0] not in BOUNDED}


def _takes_text(node: ast.FunctionDef) -> bool:
    given = [*node.args.args, *node.args.kwonlyargs]
    return any(each.annotation and ast.unparse(each.annotation) in TEXTS for each in given)
