"""The results of real services' answers: a table for every provider, over a real socket."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.completion.faults import Unsendable
from bridge.completion.providers import Providers
from bridge.completion.reading import completion_of
from bridge.errors import BridgeError, OperatorMustFix, ServiceDown
from bridge.model import Completion, Reason
from bridge.settings import from_environment
from bridge.wire.calls import Wire
from tests.completion.answer_cases import BODIES, NINE, TEXTS
from tests.completion.answers import EVERY, OPENAI, WEBHOOK, Case, Fault, Silent, check
from tests.completion.asked import QUESTION
from tests.completion.provider_cases import OPENAI_CASES, WEBHOOK_CASES
from tests.other_side import OtherSide, answering, http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.completion.asked import Provider

SAMPLES = Path(__file__).parents[1] / "samples/answers"

TOO_EARLY = Fault(Unsendable, "when the last node finishes")
FAILED = Fault(ServiceDown, "HTTP 500", 3)
EMPTY = Silent(Reason.EMPTY)
# What each response mode answers, as n8n 2.40.7 and Node-RED 4.1.15 sent it, and what is right.
MODES: dict[str, str | Silent | Fault] = {
    "n8n-2.40.7/chatlast": "Hi",
    "n8n-2.40.7/chatnodes": TOO_EARLY,
    "n8n-2.40.7/chatnone": EMPTY,
    "n8n-2.40.7/chatstream": EMPTY,
    "n8n-2.40.7/chattext": "Hi",
    "n8n-2.40.7/chatthrows": FAILED,
    "n8n-2.40.7/immediately": TOO_EARLY,
    "n8n-2.40.7/immediately-data": "custom text",
    "n8n-2.40.7/immediately-nobody": EMPTY,
    "n8n-2.40.7/last": "Hi",
    "n8n-2.40.7/last-all": "A\nB",
    "n8n-2.40.7/last-binary": Fault(Unsendable, "nothing is at reply_path output, an object with data, type"),
    "n8n-2.40.7/last-empty-obj": EMPTY,
    "n8n-2.40.7/last-nodata": EMPTY,
    "n8n-2.40.7/last-none": EMPTY,
    "n8n-2.40.7/last-none-all": EMPTY,
    "n8n-2.40.7/last-prop": "Hi",
    "n8n-2.40.7/last-prop-nested": "Hi",
    "n8n-2.40.7/last-throws": FAILED,
    "n8n-2.40.7/respond-204": EMPTY,
    "n8n-2.40.7/respond-all": "A\nB",
    "n8n-2.40.7/respond-binary": "Hello bytes",
    "n8n-2.40.7/respond-first": "Hi",
    "n8n-2.40.7/respond-json": "Hi",
    "n8n-2.40.7/respond-jsonstr": FAILED,
    "n8n-2.40.7/respond-missing": Fault(OperatorMustFix, "no Respond to Webhook node"),
    "n8n-2.40.7/respond-never": EMPTY,
    "n8n-2.40.7/respond-nodata": EMPTY,
    "n8n-2.40.7/respond-text": "Hello there",
    "n8n-2.40.7/respond-textexpr": "Grüße 👋 <b>x</b>",
    "n8n-2.40.7/respond-throws": FAILED,
    "n8n-2.40.7/stream": EMPTY,
    "n8n-2.40.7/stream-respond": "Hi",
    "node-red-4.1.15/204": EMPTY,
    "node-red-4.1.15/nothing": EMPTY,
    "node-red-4.1.15/number": "42",
    "node-red-4.1.15/object": NINE,
    "node-red-4.1.15/text": NINE,
}


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


def sample(name: str) -> Case:
    head, _, body = (SAMPLES / f"{name}.http").read_bytes().partition(b"\n\n")
    first, *headers = head.decode().splitlines()
    kind = next((line.partition(": ")[2] for line in headers), "")
    return Case(name=name, source="run", status=int(first.split()[1]), body=body, kind=kind, right=MODES[name])


@pytest.mark.parametrize("name", MODES)
def test_each_response_mode_is_understood(wire: Wire, name: str) -> None:
    """Real automation tools' answers in each mode are a reply, no reply, or an error for the operator, after one call."""
    check(sample(name), WEBHOOK, wire)


def test_each_sample_has_its_right_value() -> None:
    """Every sample file has its case."""
    found = {path.relative_to(SAMPLES).with_suffix("").as_posix() for path in SAMPLES.rglob("*.http")}
    assert found == set(MODES)


@pytest.mark.parametrize("provider", EVERY.values(), ids=EVERY)
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_read_alike_whoever_says_it(wire: Wire, provider: Provider, name: str) -> None:
    """Thoughts, tool calls, marks and statuses have the same result for every provider."""
    source, text, right = TEXTS[name]
    check(Case(name=name, source=source, body=provider.answer(text), right=right), provider, wire)


@pytest.mark.parametrize("provider", EVERY.values(), ids=EVERY)
@pytest.mark.parametrize("case", BODIES, ids=lambda case: case.name)
def test_a_body_is_read_alike_whoever_sends_it(wire: Wire, provider: Provider, case: Case) -> None:
    """Content types, streams and errors with their own fix have the same result for every provider."""
    check(case, provider, wire)


@pytest.mark.parametrize("case", OPENAI_CASES, ids=lambda case: case.name)
def test_why_an_answer_ended_and_what_it_holds_counts(wire: Wire, case: Case) -> None:
    """Cut or filtered texts, prefaces of tool calls and failed upstreams are no replies; parts are joined."""
    check(case, OPENAI, wire)


@pytest.mark.parametrize("case", WEBHOOK_CASES, ids=lambda case: case.name)
def test_a_tools_word_about_itself_is_no_reply(wire: Wire, case: Case) -> None:
    """It is an error that names the fix, and the flow runs once."""
    check(case, WEBHOOK, wire)


@pytest.mark.parametrize("coding", ["utf-8", "UTF-8", "Identity", "", "GZIP", "x-gzip"])
def test_the_name_of_a_coding_has_no_case_and_a_charset_is_none(wire: Wire, coding: str) -> None:
    """By RFC 9110, 8.4.1; a body that claims a coding and lacks it is a fault."""
    body = b'{"output": "hello"}'
    packed = gzip.compress(body) if "gzip" in coding.lower() else body
    with OtherSide(answering(http(200, packed, {"Content-Encoding": coding}))) as server:
        assert WEBHOOK.ask(wire, server.url).text == "hello"


def test_each_case_says_where_it_was_met() -> None:
    """Without a source, a case would be a guess."""
    cases = (*BODIES, *OPENAI_CASES, *WEBHOOK_CASES)
    assert all(case.source for case in cases)
    assert len({(case.name, str(case.body)) for case in cases}) == len(cases) > 120


WIRE = Wire()  # opens nothing until it is asked
MARKS = st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="<>[]{}【】|`\ue200\ue201\ue202\\")


@pytest.mark.parametrize("provider", EVERY.values(), ids=EVERY)
@given(text=st.text(MARKS, min_size=1).map(str.strip).filter(bool))
def test_a_text_without_marks_passes_unchanged(provider: Provider, text: str) -> None:
    """A text without marks of any dialect loses nothing."""
    providers = Providers(WIRE, from_environment({}), services=provider.services)
    service = providers.service(provider.location("http://127.0.0.1:1"), provider.name)
    body = json.dumps(provider.answer(text)).encode()
    assert completion_of(service, {}, body, question=QUESTION) == Completion(text=text)


NAMES = st.sampled_from(
    [
        "choices",
        "message",
        "content",
        "delta",
        "type",
        "text",
        "error",
        "code",
        "data",
        "run",
        "output",
        "response",
        "messages",
        "role",
        "status",
        "detail",
        "finish_reason",
        "tool_calls",
        "refusal",
        "audio",
        "candidates",
        "parts",
        "done",
        "event",
        "answer",
        "metadata",
        "reply",
        "success",
        "ok",
        "html-message",
    ]
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | NAMES
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12)
ODD = st.one_of(
    st.binary(max_size=60),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.lists(VALUES, max_size=4).map(lambda values: b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in values)),
    st.lists(VALUES, max_size=4).map(lambda values: b"\n".join(json.dumps(one).encode() for one in values)),
)


@pytest.mark.parametrize("provider", EVERY.values(), ids=EVERY)
@given(body=ODD, kind=st.sampled_from(["", "text/plain", "text/event-stream", "application/x-ndjson", "text/html; charset=odd"]))
def test_no_answer_is_too_odd(provider: Provider, body: bytes, kind: str) -> None:
    """Every answer is a text, no reply with a reason, or one of our errors with a message."""
    providers = Providers(WIRE, from_environment({}), services=provider.services)
    service = providers.service(provider.location("http://127.0.0.1:1"), provider.name)
    try:
        said = completion_of(service, {"Content-Type": kind}, body, question=QUESTION)
    except BridgeError as error:
        told = [str(error)]
    else:
        told = [said.text, str(said.why_silent or "")]
    assert len(list(filter(None, told))) == 1
