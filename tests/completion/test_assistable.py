"""Assistable: what it is asked, and what its many answers mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bridge.completion.assistable import Assistable, build, decipher
from bridge.errors import BridgeError, OperatorMustFix, OutcomeUnknown, Permanent, Retryable, TokenRefused
from bridge.model import Completion, ContactId, ConversationId, LocationId, MessageId, Question, Said
from bridge.wire.calls import Wire
from tests.other_side import OtherSide, Visit, answering, cutting, http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUESTION = Question(
    location_id=LocationId("loc"),
    contact_id=ContactId("contact"),
    conversation_id=ConversationId("conv"),
    last_message_id=MessageId("m1"),
    channel="SMS",
    input="one\ntwo",
    history=(Said("user", "before"), Said("assistant", "yes")),
)
ASKED = {
    "conversation_id": "conv",
    "contact_id": "contact",
    "last_message_id": "m1",
    "channel": "SMS",
    "input": "one\ntwo",
    "location_id": "loc",
    "messages": [{"role": "user", "content": "before"}, {"role": "assistant", "content": "yes"}],
    "assistant_id": "a1",
}


def read(document: object, status: int = 200, *, may_deliver: bool = False) -> Completion:
    return decipher(status, {}, json.dumps(document).encode(), question=QUESTION, may_deliver=may_deliver)


def said(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"run": {"output": " ", "response": {"messages": [{"role": "assistant", **message} for message in messages]}}}


def test_a_question_is_asked_in_these_words() -> None:
    """The request holds the eight documented fields and nothing else."""
    assert build(QUESTION, assistant_id="a1") == ASKED


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"run": {"output": " hello \n"}}, "hello"),
        ({"run": {"output": "hello", "response": {"messages": [{"role": "assistant", "content": "other"}]}}}, "hello"),
        (said({"content": "first"}, {"content": "last"}, {"content": "  "}, {"content": None}), "last"),
        (said({"content": [{"type": "text", "text": "in "}, {"type": "image"}, {"type": "text", "text": "parts"}]}), "in parts"),
        ({"run": {"response": {"messages": [{"role": "user", "content": "no"}, "no"]}}, "output": "root"}, "root"),
        ({"success": True, "data": {"response": "hello", "status": "sent"}}, "hello"),
        ({"response": "hello"}, "hello"),
        ({"output": "hello"}, "hello"),
        ({"run": {"output": "half \ud83d"}}, "half ?"),
    ],
)
def test_the_reply_is_found_wherever_it_stands(document: object, text: str) -> None:
    """`run.output` comes first, then the last assistant message that says anything, then what variants call it."""
    assert read(document) == Completion(text=text)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"run": {"output": ""}}, "empty answer"),
        ({"run": {"output": None, "response": {"messages": [], "toolCalls": [{}]}}}, "empty answer"),
        ({"success": True, "data": {"response": ""}}, "empty answer"),
        ({"run": "odd", "data": []}, "empty answer"),
        ({}, "empty answer"),
        (said({"content": "I can't", "refusal": "I can't"}), "refusal"),
        ({"run": {"output": "I can't", "response": {"messages": [{"role": "assistant", "refusal": "no"}]}}}, "refusal"),
        ({"ok": False, "error": "stale_job"}, "stale_job"),
    ],
)
def test_silence_is_a_decision(document: object, why: str) -> None:
    """An empty answer, a refusal and a run that was overtaken are nothing to send, and no fault."""
    assert read(document) == Completion(text="", why_silent=why)


def test_an_old_refusal_is_no_silence() -> None:
    """Only the newest message's refusal counts."""
    assert read(said({"content": "no", "refusal": "no"}, {"content": "hello", "refusal": None})).text == "hello"


@pytest.mark.parametrize(("message_id", "claimed"), [("m9", "m9"), ("m1", ""), ("", ""), (None, ""), (5, "")])
def test_a_message_id_of_its_own_is_a_claim_of_delivery(message_id: object, claimed: str) -> None:
    """A message id that is not the contact's own is what Assistable says it delivered; the trace id is kept."""
    answer = read({"run": {"output": "hello", "message": {"messageId": message_id, "traceId": "t1"}}})
    assert answer == Completion(text="hello", claimed_message_id=claimed, trace_id="t1")


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"ok": False, "error": "No access token for location"}, TokenRefused),
        ({"ok": False, "error": "No GHL conversation found for contact"}, Permanent),
        ({"success": False, "message": "Insufficient credits"}, Retryable),
        ({"success": False, "error": {"code": "quota_exceeded", "message": "x"}}, Retryable),
        ({"data": None, "error": {"code": "chat_failed", "message": "x"}}, Permanent),
        ({"ok": False, "output": "secret words"}, Permanent),
    ],
)
@pytest.mark.parametrize("may_deliver", [True, False])
def test_a_200_can_be_an_error(document: object, kind: type[BridgeError], may_deliver: bool) -> None:
    """An answer that says it failed is believed, whatever its status and whoever delivers."""
    with pytest.raises(BridgeError, match="HTTP 200 that reports an error") as caught:
        read(document, may_deliver=may_deliver)
    assert type(caught.value) is kind
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (425, {}, Retryable),
        (429, {}, Retryable),
        (402, {}, Retryable),
        (400, {"message": "Your billing has lapsed"}, Retryable),
        (403, {"error": {"message": "quota"}}, Retryable),
        (401, {}, TokenRefused),
        (403, {}, TokenRefused),
        (400, {"message": "secret words"}, Permanent),
        (404, {"message": "Route GET:/v2 not found"}, Permanent),
        (422, {}, Permanent),
        (307, {}, OperatorMustFix),
    ],
)
@pytest.mark.parametrize("may_deliver", [True, False])
def test_a_refusal_says_what_to_do_next(status: int, document: object, kind: type[BridgeError], may_deliver: bool) -> None:
    """A refused request was not run, whoever delivers; texts about money pass, logins and addresses are the operator's."""
    with pytest.raises(BridgeError, match=f"HTTP {status}") as caught:
        read(document, status, may_deliver=may_deliver)
    assert type(caught.value) is kind
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body"),
    [(408, b""), (500, b"{}"), (502, b"<html>"), (503, b""), (504, b""), (200, b"<html>"), (200, b"{"), (200, b"[]"), (200, b"")],
)
def test_a_lost_answer_depends_on_who_delivers(status: int, body: bytes) -> None:
    """Without a readable answer the run may have happened: unknown if it may have delivered, else tried again."""
    with pytest.raises(OutcomeUnknown, match=f"HTTP {status}"):
        decipher(status, {}, body, question=QUESTION, may_deliver=True)
    with pytest.raises(Retryable, match=f"HTTP {status}"):
        decipher(status, {}, body, question=QUESTION, may_deliver=False)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_the_wait_asked_for_is_carried(status: int) -> None:
    """Retry-After comes along with every fault that is tried again."""
    with pytest.raises(Retryable) as caught:
        decipher(status, {"Retry-After": "40"}, b"", question=QUESTION, may_deliver=False)
    assert caught.value.retry_after == 40.0


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


def ask(wire: Wire, url: str, *, may_deliver: bool = False, seconds: float = 5.0) -> Completion:
    assistable = Assistable(wire, url=url, token="key", assistant_id="a1", may_deliver=may_deliver)
    return assistable.complete(QUESTION, seconds=seconds)


def test_a_completion_is_one_request(wire: Wire) -> None:
    """The question goes to the url given, with the token, once."""
    with OtherSide(answering(http(200, {"run": {"output": "hello"}}))) as server:
        assert ask(wire, server.url + "/v2/ghl-chat-completion") == Completion(text="hello")
    (request,) = server.requests
    assert (request.method, request.target, request.document) == ("POST", "/v2/ghl-chat-completion", ASKED)
    assert request.headers["authorization"] == "Bearer key"


def reset(visit: Visit) -> None:
    visit.request()
    visit.reset()


def hold(visit: Visit) -> None:
    visit.hold()


@pytest.mark.parametrize(
    "behave",
    [cutting(b""), reset, hold, cutting(http(200, b"x" * 2_000_000)), cutting(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n{")],
    ids=["hung up", "reset", "silent", "too large", "cut"],
)
def test_a_lost_connection_depends_on_who_delivers(wire: Wire, behave: Callable[[Visit], None]) -> None:
    """A call whose answer is lost is unknown if it may have delivered, else tried again; it is one request either way."""
    with OtherSide(behave) as server:
        with pytest.raises(OutcomeUnknown, match="may have been delivered"):
            ask(wire, server.url, may_deliver=True, seconds=0.5)
        with pytest.raises(Retryable):
            ask(wire, server.url, may_deliver=False, seconds=0.5)
        assert server.connections == 2


@pytest.mark.parametrize("may_deliver", [True, False])
def test_what_never_left_delivered_nothing(wire: Wire, may_deliver: bool) -> None:
    """A connection that is refused is tried again, whoever delivers."""
    with OtherSide(hold) as server:
        url = server.url
    with pytest.raises(Retryable, match="nothing was sent"):
        ask(wire, url, may_deliver=may_deliver)
