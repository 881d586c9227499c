"""Workflow webhooks of the simulator: the free action's format, a user's own, and late lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

if TYPE_CHECKING:
    from tests.simulator.conftest import Receiver, Simulator

SAMPLE = json.loads((Path(__file__).parent.parent / "samples" / "derived" / "workflow_webhook_inbound_sms.json").read_bytes())
PAIRS = {"message_id": "{{message.id}}", "conversation_id": "{{ conversation.id }}", "more": "x {{contact.id}} {{no.such}}"}


def told(simulator: Simulator, receiver: Receiver, **order: Any) -> dict[str, Any]:
    """The body of a workflow's webhook."""
    before = len(receiver.hooks)
    answers = simulator.order("workflow", url=receiver.url, **order)["answers"]
    assert [answer["status_code"] for answer in answers] == [202]
    return receiver.wait_for(before + 1)[-1].payload


def test_the_free_form_is_that_of_the_capture(simulator: Simulator, receiver: Receiver) -> None:
    """It has the same keys with the user's data, and is not signed."""
    said = simulator.order("say", text="Hello", webhook=False)
    payload = told(simulator, receiver, contact_id=said["contact_id"], pairs=PAIRS, headers={"X-Bridge-Secret": "s"})
    assert set(payload) == set(SAMPLE)
    assert set(payload["location"]) == set(SAMPLE["location"])
    assert {"type": payload["message"]["type"], "body": payload["message"]["body"]} == {"type": 2, "body": "Hello"}
    assert payload["customData"] == {
        "message_id": said["message_id"],
        "conversation_id": said["conversation_id"],
        "more": f"x {said['contact_id']} ",
    }
    headers = {name.lower(): value for name, value in receiver.hooks[-1].headers.items()}
    assert headers["x-bridge-secret"] == "s"
    assert not {"x-ghl-signature", "x-wh-signature"} & set(headers)


def test_a_user_writes_json_or_a_form(simulator: Simulator, receiver: Receiver) -> None:
    """A custom webhook has only the user's pairs."""
    said = simulator.order("say", text="Größe & Preis", webhook=False)
    pairs = {"contact_id": "{{contact.id}}", "message": "{{message.body}}"}
    expected = {"contact_id": said["contact_id"], "message": "Größe & Preis"}
    assert told(simulator, receiver, message_id=said["message_id"], form="json", pairs=pairs) == expected
    simulator.order("workflow", url=receiver.url, message_id=said["message_id"], form="form", pairs=pairs)
    form = parse_qs(receiver.wait_for(2)[-1].raw.decode())
    assert form == {name: [value] for name, value in expected.items()}


def test_a_test_run_has_empty_values(simulator: Simulator, receiver: Receiver) -> None:
    """GHL's "Test" button has a contact, and no message."""
    said = simulator.order("say", text="Hello", webhook=False)
    payload = told(simulator, receiver, contact_id=said["contact_id"], pairs=PAIRS, test=True)
    assert set(payload["message"].values()) == {""}
    assert payload["customData"]["message_id"] == ""
    assert payload["contact_id"] == said["contact_id"]


def test_the_newest_message_of_a_contact_is_told(simulator: Simulator, receiver: Receiver) -> None:
    """Without an id it is the contact's last message."""
    said = simulator.order("say", text="first", webhook=False)
    simulator.order("say", contact_id=said["contact_id"], text="second", webhook=False)
    simulator.order("human", contact_id=said["contact_id"], text="third", webhook=False)
    assert told(simulator, receiver, contact_id=said["contact_id"])["message"]["body"] == "second"


@pytest.mark.parametrize("order", [{}, {"contact_id": "nobody"}, {"message_id": "none"}])
def test_nothing_is_told_of_nobody(simulator: Simulator, receiver: Receiver, order: dict[str, Any]) -> None:
    """A workflow needs a message."""
    answer = simulator.http.post("/_sim/workflow", json={"url": receiver.url, **order})
    assert (answer.status_code, bool(answer.json()["errors"])) == (422, True)


def test_a_workflow_needs_an_address(simulator: Simulator, receiver: Receiver) -> None:
    """It is the order's, or the one in the defaults."""
    said = simulator.order("say", text="Hello", webhook=False)
    assert simulator.http.post("/_sim/workflow", json={"contact_id": said["contact_id"]}).status_code == 422
    simulator.order("defaults", workflow_url=receiver.url)
    simulator.order("workflow", contact_id=said["contact_id"], copies=2)
    assert len(receiver.wait_for(2)) == 2


def test_lists_may_lag_behind(simulator: Simulator) -> None:
    """A message younger than the lag is not listed yet, but is found by its id."""
    simulator.order("defaults", list_lag_seconds=30)
    said = simulator.order("say", text="old", webhook=False, date_added="2026-01-01T00:00:00Z")
    new = simulator.order("say", contact_id=said["contact_id"], text="new", webhook=False)
    listed = simulator.ghl("GET", f"/conversations/{said['conversation_id']}/messages").json()["messages"]["messages"]
    assert [row["body"] for row in listed] == ["old"]
    assert simulator.ghl("GET", f"/conversations/messages/{new['message_id']}").status_code == 200
