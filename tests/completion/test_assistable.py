"""Assistable: which format a URL has, and the meaning of its many answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.completion.assistable import Assistable
from bridge.completion.reading import completion_of
from bridge.errors import BridgeError, Permanent, Retryable, TokenRefused
from bridge.model import Completion, Reason
from tests.completion.asked import QUESTION

HELP_PAGE = "https://api.assistable.ai/v2/ghl/chat-completion"
SEED = "https://api.assistable.ai/v2/ghl-chat-completion"


def read(document: object) -> Completion:
    return completion_of(
        Assistable(url=SEED, token="key", assistant_id="a1"), {}, json.dumps(document).encode(), question=QUESTION
    )


def said(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"run": {"output": " ", "response": {"messages": [{"role": "assistant", **message} for message in messages]}}}


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        (HELP_PAGE, 4),
        (HELP_PAGE + "/", 4),
        (HELP_PAGE + "?x=1", 4),
        (SEED, 8),
        ("https://proxy.example/assistable/v2/ghl/chat-completion", 4),
        ("https://api.assistable.ai/v3/chat/completions", 8),
        ("https://ghl/chat-completion.example/v2/ghl-chat-completion", 8),
    ],
)
def test_the_path_of_the_url_says_which_form_is_asked(url: str, fields: int) -> None:
    """The format of the help page has four fields, the older one eight."""
    assert len(Assistable(url=url, token="key", assistant_id="a1").build(QUESTION)) == fields


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"run": {"output": " hello \n"}}, "hello"),
        ({"run": {"output": "hello", "response": {"messages": [{"role": "assistant", "content": "other"}]}}}, "hello"),
        (said({"content": "first"}, {"content": "last"}, {"content": "  "}, {"content": None}), "last"),
        (said({"content": [{"type": "text", "text": "in "}, {"type": "text", "text": "parts"}]}), "in parts"),
        ({"run": {"response": {"messages": [{"role": "user", "content": "no"}, "no"]}}, "output": "root"}, "root"),
        ({"success": True, "data": {"response": "hello", "status": "queued"}}, "hello"),
        ({"response": "hello"}, "hello"),
        ({"output": "hello"}, "hello"),
        ({"data": {"output": "hello"}, "request_id": "r"}, "hello"),
        ({"data": {"run": {"output": "hello"}}, "request_id": "r"}, "hello"),
        ({"data": {"run": {"response": {"messages": [{"role": "assistant", "content": "hello"}]}}}}, "hello"),
        ({"run": {"output": "half \ud83d"}}, "half ?"),
    ],
)
def test_the_reply_is_found_wherever_it_stands(document: object, text: str) -> None:
    """`run.output` comes first, then the last assistant message with a text, then the names in variants."""
    assert read(document) == Completion(text=text)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"run": {"output": ""}}, Reason.EMPTY),
        ({"run": {"output": None, "response": {"messages": [], "toolCalls": [{}]}}}, Reason.EMPTY),
        ({"success": True, "data": {"response": ""}}, Reason.EMPTY),
        ({"run": "odd", "data": []}, Reason.EMPTY),
        ({}, Reason.EMPTY),
        (said({"content": "I can't", "refusal": "I can't"}), Reason.REFUSAL),
        ({"run": {"output": "I can't", "response": {"messages": [{"role": "assistant", "refusal": "no"}]}}}, Reason.REFUSAL),
        ({"ok": False, "error": "stale_job"}, Reason.STALE_JOB),
        ({"data": {"status": "stale_job"}, "request_id": "r"}, Reason.STALE_JOB),
        ({"data": {"status": "completed"}, "request_id": "r"}, Reason.EMPTY),
    ],
)
def test_silence_is_a_decision(document: object, why: Reason) -> None:
    """An empty answer, a refusal and a superseded run mean that there is nothing to send, and are no faults."""
    assert read(document) == Completion(text="", why_silent=why)


def test_an_old_refusal_is_no_silence() -> None:
    """Only a refusal in the newest message counts."""
    assert read(said({"content": "no", "refusal": "no"}, {"content": "hello", "refusal": None})).text == "hello"


@pytest.mark.parametrize(("message_id", "claimed"), [("m9", "m9"), ("m1", ""), ("", ""), (None, ""), (5, "")])
def test_a_message_id_of_its_own_is_a_claim_of_delivery(message_id: object, claimed: str) -> None:
    """A message id that is not the contact's own names what Assistable claims to have delivered; the trace id is stored."""
    answer = read({"run": {"output": "hello", "message": {"messageId": message_id, "traceId": "t1"}}})
    assert answer == Completion(text="hello", claimed_message_id=claimed, trace_id="t1")


@pytest.mark.parametrize(
    "document",
    [
        {"success": True, "data": {"response": "hello", "thread_id": "t", "status": "sent"}},
        {"data": {"output": "hello", "status": "sent"}, "request_id": "r"},
        {"response": "hello", "status": "sent"},
    ],
)
def test_sent_is_a_claim_of_delivery(document: object) -> None:
    """`status: sent` claims a delivery like a message id, in either format."""
    answer = read(document)
    assert (answer.text, answer.says_sent, answer.claims_delivery, answer.claimed_message_id) == ("hello", True, True, "")


@pytest.mark.parametrize("status", ["queued", "completed", "", None, 5])
def test_another_status_claims_nothing(status: object) -> None:
    """Only `sent` claims a delivery."""
    assert not read({"success": True, "data": {"response": "hello", "status": status}}).claims_delivery


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"ok": False, "error": "No access token for location"}, TokenRefused),
        ({"ok": False, "error": "No GHL conversation found for contact"}, Permanent),
        ({"success": False, "message": "Insufficient credits"}, Retryable),
        ({"success": False, "error": {"code": "quota_exceeded", "message": "x"}}, Retryable),
        ({"data": None, "error": {"code": "chat_failed", "message": "x"}}, Permanent),
        ({"ok": False, "output": "secret words"}, Permanent),
        ({"data": {"status": "error"}, "request_id": "r"}, Permanent),
    ],
)
def test_a_200_can_be_an_error(document: object, kind: type[BridgeError]) -> None:
    """An answer that reports a failure is a failure, whatever its status."""
    with pytest.raises(BridgeError, match="HTTP 200 that reports an error") as caught:
        read(document)
    assert type(caught.value) is kind
    assert "secret" not in str(caught.value)
