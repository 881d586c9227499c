"""Answers that are more or less than a reply, as each service writes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bridge.simulator.answers import HALF, REFUSAL, STATUS_SENTENCE, THOUGHTS, TOOL_CALL, WRITTEN

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.simulator.conftest import Receiver, Simulator

USUAL = 'You said: "Hello". How can I help?'
LOGIN = {"Authorization": "Bearer key"}


def _assistable(simulator: Simulator) -> httpx.Response:
    said = simulator.order("say", text="Hello", contact_id="contact")
    return simulator.complete(said)


def _help_page(simulator: Simulator) -> httpx.Response:
    ids = {"assistant_id": "a", "location_id": "SimulatedLocation001", "contact_id": "contact"}
    return simulator.http.post("/v2/ghl/chat-completion", json={**ids, "message": "Hello"}, headers=LOGIN)


def _agencii(simulator: Simulator) -> httpx.Response:
    return simulator.http.post("/get_completion", json={"message": "Hello", "apiIntegrationId": "i"}, headers=LOGIN)


def _openai(simulator: Simulator) -> httpx.Response:
    turns = [{"role": "user", "content": "Hello"}]
    return simulator.http.post("/v1/chat/completions", json={"model": "m", "messages": turns})


def _webhook(simulator: Simulator) -> httpx.Response:
    return simulator.http.post("/webhook/abc", json={"chatInput": "Hello", "sessionId": "s"})


ASKED: dict[str, Callable[[Simulator], httpx.Response]] = {
    "assistable": _assistable,
    "assistable_help_page": _help_page,
    "agencii": _agencii,
    "openai": _openai,
    "webhook": _webhook,
}
TEXT_AT: dict[str, Callable[[Any], str]] = {
    "assistable": lambda body: body["run"]["output"],
    "assistable_help_page": lambda body: body["data"]["response"],
    "agencii": lambda body: body["message"]["content"],
    "openai": lambda body: body["choices"][0]["message"]["content"] or "",
    "webhook": lambda body: body["output"],
}


def asked(simulator: Simulator, service: str, form: str) -> httpx.Response:
    simulator.fault(service, {"kind": "answer", "form": form})
    return ASKED[service](simulator)


@pytest.mark.parametrize("service", ASKED)
def test_in_the_text(simulator: Simulator, service: str) -> None:
    """Thoughts and tool calls are where each service has its text."""
    thoughts = TEXT_AT[service](asked(simulator, service, "thoughts").json())
    assert thoughts == f"<think>\n{THOUGHTS}\n</think>\n\n{USUAL}"
    simulator.http.request("DELETE", "/_sim/faults")
    assert TEXT_AT[service](asked(simulator, service, "tool_call").json()) == TOOL_CALL


@pytest.mark.parametrize("service", ASKED)
def test_nothing(simulator: Simulator, service: str) -> None:
    """No reply is an empty text in the usual format; an automation answers without a body."""
    answer = asked(simulator, service, "empty")
    assert answer.status_code == 200
    assert (answer.content == b"") if service == "webhook" else (TEXT_AT[service](answer.json()) == "")


@pytest.mark.parametrize(
    ("form", "reason", "text"),
    [("cut_off", "length", f"{USUAL} {HALF}"), ("filtered", "content_filter", HALF), ("error", "error", "Sure, the addr")],
)
def test_why_a_model_ended(simulator: Simulator, form: str, reason: str, text: str) -> None:
    """A chat completion has the cause in `finish_reason`, and a gateway's choice contains its error."""
    choice = asked(simulator, "openai", form).json()["choices"][0]
    assert (choice["finish_reason"], choice["message"]["content"]) == (reason, text)
    assert choice.get("error") == ({"code": 502, "message": "Upstream error"} if form == "error" else None)


def test_an_error_inside_an_answer(simulator: Simulator) -> None:
    """Assistable answers `ok: false` with HTTP 200; a workflow with a failing node answers 500 with n8n's sentence."""
    answer = asked(simulator, "assistable", "error")
    assert (answer.status_code, answer.json()) == (200, {"ok": False, "error": "Upstream error"})
    answer = asked(simulator, "webhook", "error")
    assert (answer.status_code, answer.json()) == (500, {"message": "Error in workflow"})


def test_a_refusal(simulator: Simulator) -> None:
    """A refused run of Assistable has no output, and the refusal beside its message."""
    run = asked(simulator, "assistable", "filtered").json()["run"]
    assert (run["output"], run["response"]["messages"][-1]["refusal"]) == ("", REFUSAL)


def test_a_word_about_the_workflow(simulator: Simulator) -> None:
    """An automation that returns no data answers with a status sentence."""
    assert asked(simulator, "webhook", "status_sentence").json() == {"message": STATUS_SENTENCE}


def test_streams(simulator: Simulator) -> None:
    """A stream has events with the content type of JSON or text, or lines of n8n; joined it is the reply."""
    events = asked(simulator, "openai", "stream")
    assert events.headers["Content-Type"] == "application/json"
    *chunks, done = [line.removeprefix("data: ") for line in events.text.split("\n\n") if line]
    read = [json.loads(chunk)["choices"][0] for chunk in chunks]
    assert done == "[DONE]"
    assert "".join(each["delta"].get("content", "") for each in read) == USUAL
    assert [each["finish_reason"] for each in read] == [None] * (len(read) - 1) + ["stop"]

    deltas = asked(simulator, "agencii", "stream")
    assert deltas.headers["Content-Type"].startswith("text/plain")
    assert "".join(json.loads(line[6:])["delta"] for line in deltas.text.split("\n\n")[:-2]) == USUAL

    lines = [json.loads(line) for line in asked(simulator, "webhook", "stream").text.splitlines()]
    assert [lines[0]["type"], lines[-1]["type"]] == ["begin", "end"]
    assert "".join(each["content"] for each in lines[1:-1]) == USUAL


def test_what_a_service_has_not(simulator: Simulator) -> None:
    """The page shows which service writes which form; another service answers 501 for it."""
    told = simulator.ask("answers")["answers"]
    assert told == {form: list(writers) for form, writers in WRITTEN.items()}
    for form, services in told.items():
        for service in set(ASKED) - set(services):
            simulator.http.request("DELETE", "/_sim/faults")
            answer = asked(simulator, service, form)
            assert (answer.status_code, form in answer.text) == (501, True)


def test_a_form_that_is_none(simulator: Simulator) -> None:
    """A form that no service writes is refused when it is scripted."""
    order = {"on": "completion", "action": {"kind": "answer", "form": "sung"}}
    assert simulator.http.post("/_sim/faults", json=order).status_code == 422


def test_the_newest_writer_of_the_same_words(simulator: Simulator) -> None:
    """A service that gets only the text assigns it to the contact that wrote it last."""
    for contact in ("first", "second", "first"):
        simulator.order("say", text="Hello", contact_id=contact)
    _openai(simulator)
    assert simulator.counts()["completions"]["by_contact"] == {"first": 1}


def test_a_reply_that_did_not_arrive(simulator: Simulator, receiver: Receiver) -> None:
    """The newest reply becomes `failed` in GHL, and another OutboundMessage webhook of the same message reports it."""
    said = simulator.order("say", text="Hello", contact_id="contact")
    assert simulator.http.post("/_sim/failure", json={"contact_id": "contact"}).status_code == 422
    sent = simulator.send("contact", message="Hi").json()
    assert receiver.wait_for(2)[1].payload["status"] == "delivered"

    assert simulator.order("failure", contact_id="contact")["message_id"] == sent["messageId"]

    told = receiver.wait_for(3)[2].payload
    assert (told["type"], told["messageId"], told["status"]) == ("OutboundMessage", sent["messageId"], "failed")
    listed = simulator.ghl("GET", f"/conversations/{said['conversation_id']}/messages").json()["messages"]["messages"]
    assert listed[0]["status"] == "failed"
