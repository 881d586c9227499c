"""Evidence: what each service reports about its answer, and the warnings; test_contract.py tests its limits for all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from bridge.completion.agencii import Agencii
from bridge.completion.assistable import Assistable
from bridge.completion.envelope import Envelope
from bridge.completion.evidence import MOST_BYTES, MOST_WORDS, NAMES, evidence_of, texts_of
from bridge.completion.openai import OpenAI
from bridge.completion.webhook import Webhook
from tests.completion.asked import QUESTION

ASSISTABLE = Assistable(url="https://assistable.example/v2/ghl-chat-completion", token="t", assistant_id="a")
AGENCII = Agencii(url="https://agencii.example", token="t", api_integration_id="i1")
OPENAI = OpenAI(base_url="https://openai.example", token="t", model="m", system_prompt="", max_tokens=1)
WEBHOOK = Webhook(url="https://flow.example", token="", header="Authorization", reply_path="output")
TEXT = "Our opening hours are nine to five"


def test_assistable_tells_tools_knowledge_and_cost() -> None:
    """Names of tools without their arguments, ids and scores of matches without their texts."""
    match = {"id": "k1", "score": 0.873214, "values": [0.1], "metadata": {"text": TEXT}}
    run = {
        "output": "Nine.",
        "response": {
            "messages": [{"role": "assistant", "content": "Nine.", "annotations": [{"text": TEXT}]}],
            "toolCalls": [{"function": {"name": "book", "arguments": TEXT}}, {"name": "tag"}],
            "completionTimestamp": "2026-11-30T10:00:00Z",
        },
        "knowledge_base": {"matches": [match], "namespace": "n1", "usage": {"readUnits": 6}},
        "message": {"conversationId": QUESTION.conversation_id},
    }
    kept = evidence_of(ASSISTABLE.unwrap({"run": run}, question=QUESTION))
    assert kept == {
        "tools": ["book", "tag"],
        "read_units": 6,
        "knowledge": [["k1", 0.8732]],
        "namespace": "n1",
        "annotations": 1,
        "completed_at": "2026-11-30T10:00:00Z",
    }


def test_assistables_newer_form_tells_model_and_tokens() -> None:
    """Version 3 reports tokens and the name of its run."""
    told = {"data": {"output": "Nine.", "model": "gpt", "tokens": {"prompt": 7, "completion": 2, "total": 9}, "runId": "r1"}}
    kept = evidence_of(ASSISTABLE.unwrap(told | {"status": "completed"}, question=QUESTION))
    assert kept == {"model": "gpt", "tokens": {"prompt": 7, "completion": 2, "total": 9}, "run": "r1"}


@pytest.mark.parametrize(
    ("agent", "integration", "count"),
    [("assistantId", "name", "numMessages"), ("agentId", "apiIntegrationName", "messagesCount")],
)
def test_agencii_tells_agent_thread_and_count_in_both_spellings(agent: str, integration: str, count: str) -> None:
    """It reports the agent, its integration, and the length of the conversation."""
    told = {
        "chatId": "c1",
        "threadId": "t1",
        agent: "g1",
        integration: "Acme",
        count: 4,
        "message": {"content": "Nine.", "createdAt": "2026-11-30T10:00:00", "references": [{"id": "f1", "text": TEXT}]},
        "aliasChatId": "ghl:loc:conv",
    }
    assert evidence_of(AGENCII.unwrap(told, question=QUESTION)) == {
        "agent": "g1",
        "integration": "Acme",
        "session": "i1:c1",
        "messages": 4,
        "references": ["f1"],
        "thread": "t1",
        "completed_at": "2026-11-30T10:00:00",
    }


def test_openai_tells_model_tokens_and_why_it_ended() -> None:
    """Usage is tokens; the finish reason is the service's own; called tools are named."""
    call = {"function": {"name": "book", "arguments": TEXT}}
    told = {
        "id": "chatcmpl-1",
        "model": "gpt-5-mini",
        "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
        "choices": [{"message": {"content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}],
    }
    assert evidence_of(OPENAI.unwrap(told, question=QUESTION)) == {
        "model": "gpt-5-mini",
        "finish_reason": "tool_calls",
        "tools": ["book"],
        "tokens": {"prompt": 7, "completion": 2, "total": 9},
        "run": "chatcmpl-1",
    }


def test_a_webhook_may_tell_evidence_by_the_same_names() -> None:
    """Other names, and texts beside ids, are left out."""
    told = {
        "output": "Nine.",
        "evidence": {
            "model": "m1",
            "tokens": {"prompt": 7, "note": TEXT},
            "knowledge": [{"id": "k1", "score": 0.5, "text": TEXT}, "k2", ["k3", 0.25, TEXT]],
            "tools": [{"name": "book", "arguments": TEXT}],
            "prompt": TEXT,
        },
    }
    assert evidence_of(WEBHOOK.unwrap(told, question=QUESTION)) == {
        "model": "m1",
        "tools": ["book"],
        "tokens": {"prompt": 7},
        "knowledge": [["k1", 0.5], ["k2"], ["k3", 0.25]],
    }


@pytest.mark.parametrize("evidence", [TEXT, [TEXT], 7, None, True])
def test_evidence_of_another_form_is_none(evidence: object) -> None:
    """Only an object can contain evidence."""
    assert evidence_of(WEBHOOK.unwrap({"output": "Nine.", "evidence": evidence}, question=QUESTION)) == {}


@pytest.mark.parametrize(
    ("session", "told", "warnings"),
    [
        ("i1:c1", {"chatId": "c1", "messagesCount": 1}, ["session_lost"]),
        ("i1:c1", {"chatId": "c1", "numMessages": 1}, ["session_lost"]),
        ("i1:c1", {"chatId": "c2", "messagesCount": 4}, ["session_lost"]),
        ("i1:c1", {"chatId": "c1", "messagesCount": 4}, None),
        ("", {"chatId": "c1", "messagesCount": 1}, None),
        ("other:c1", {"chatId": "c2", "messagesCount": 1}, None),
        ("", {"chatId": "c1", "aliasChatId": "ghl:loc:another"}, ["other_conversation"]),
        ("", {"chatId": "c1", "aliasChatId": None}, None),
    ],
)
def test_agencii_warns_of_a_lost_session_and_of_another_conversation(
    session: str, told: dict[str, Any], warnings: list[str] | None
) -> None:
    """An existing chat has its own id and several messages; an alias comes back as it was sent."""
    answer = AGENCII.unwrap({"message": {"content": "Nine."}, **told}, question=replace(QUESTION, session_id=session))
    assert evidence_of(answer).get("warnings") == warnings


@pytest.mark.parametrize(("echoed", "warnings"), [("conv", None), ("", None), ("another", ["other_conversation"])])
def test_assistable_warns_of_another_conversation(echoed: str, warnings: list[str] | None) -> None:
    """It echoes the conversation that the question was about."""
    told = {"run": {"output": "Nine.", "message": {"conversationId": echoed}}}
    assert evidence_of(ASSISTABLE.unwrap(told, question=QUESTION)).get("warnings") == warnings


def test_evidence_is_bounded() -> None:
    """At most 2 KiB are stored, warnings and the model first; a usual answer needs 300 bytes."""
    much = {name: ["x" * 500] * 500 for name in NAMES} | {"model": "m" * 500, "knowledge": [["k" * 500, 0.5]] * 500}
    kept = evidence_of(Envelope(evidence=much))
    assert len(orjson.dumps(kept)) <= MOST_BYTES
    assert {"warnings", "model"} <= kept.keys()
    usual = {
        "model": "gpt-5-mini-2025-08-07",
        "tokens": {"prompt": 1234, "completion": 56, "total": 1290},
        "run": "chatcmpl-ABCDEFGHIJKLMNOPQRSTUVWXYZ012",
        "knowledge": [["01234567-89ab-cdef", 0.8123], ["11234567-89ab-cdef", 0.7123]],
    }
    assert len(orjson.dumps(evidence_of(Envelope(ended="stop", evidence=usual)))) <= 300


def test_the_words_that_matched_are_apart_from_evidence() -> None:
    """Each text is under its id, wherever it was; rows without texts and other formats are left out, and all is limited."""
    rows: list[Any] = [{"id": "k1", "metadata": {"text": TEXT}}, {"id": "k2", "text": "Two"}, {"id": "k3"}, "k4", 7]
    told = {"output": "Nine.", "evidence": {"knowledge": rows, "references": [{"content": "Three"}]}}
    assert texts_of(WEBHOOK.unwrap(told, question=QUESTION)) == f"k1\n{TEXT}\n\nk2\nTwo\n\n?\nThree"
    long = {"output": "Nine.", "evidence": {"knowledge": [{"id": "k1", "text": "x" * 99_999}]}}
    assert len(texts_of(WEBHOOK.unwrap(long, question=QUESTION))) == MOST_WORDS
