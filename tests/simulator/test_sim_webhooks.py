from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

if TYPE_CHECKING:
    from tests.simulator.conftest import Hook, Receiver, Simulator

SAMPLES = Path(__file__).parent.parent / "samples"
ENVELOPE = {"appId", "versionId", "timestamp", "webhookId"}
INBOUND = {
    "SMS": "derived/inbound_sms_full_envelope.json",
    "WhatsApp": "derived/inbound_whatsapp.json",
    "FB": "derived/inbound_fb.json",
    "IG": "derived/inbound_ig.json",
    "Live_Chat": "derived/inbound_live_chat.json",
    "GMB": "derived/inbound_gmb.json",
    "TYPE_CUSTOM_SMS": "derived/inbound_custom_provider_sms.json",
    "Email": "inbound_email.json",
}


def _sample(name: str) -> dict[str, Any]:
    sample: dict[str, Any] = json.loads((SAMPLES / name).read_text())
    return sample


def _verify_current(simulator: Simulator, hook: Hook) -> None:
    key = load_pem_public_key((simulator.state_dir / "webhook_public_key.pem").read_bytes())
    assert isinstance(key, ed25519.Ed25519PublicKey)
    key.verify(base64.b64decode(hook.headers["x-ghl-signature"]), hook.raw)


def _verify_legacy(simulator: Simulator, hook: Hook) -> None:
    key = load_pem_public_key(simulator.ask("keys")["rsa"].encode())
    assert isinstance(key, rsa.RSAPublicKey)
    signature = base64.b64decode(hook.headers["x-wh-signature"])
    key.verify(signature, hook.raw, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("channel", [*INBOUND, "Custom", "TYPE_CUSTOM_PROVIDER_SMS"])
def test_signed(simulator: Simulator, receiver: Receiver, channel: str) -> None:
    """A webhook of any channel is signed over the raw bytes with the published key."""
    simulator.order("say", channel=channel, text="Grüße 👋")
    (hook,) = receiver.wait_for(1)
    _verify_current(simulator, hook)
    assert "x-wh-signature" not in hook.headers


@pytest.mark.parametrize(("channel", "sample"), INBOUND.items())
def test_inbound_keys(simulator: Simulator, receiver: Receiver, channel: str, sample: str) -> None:
    """An inbound webhook has the keys of its channel's sample, and the envelope's."""
    simulator.order("say", channel=channel, text="Hello")
    payload = receiver.wait_for(1)[0].payload
    expected = _sample(sample)
    assert set(payload) == set(expected) | ENVELOPE
    same = ("type", "direction", "messageType", "messageTypeId", "messageTypeString")
    assert [payload.get(key) for key in same] == [expected.get(key) for key in same]


@pytest.mark.parametrize(("channel", "sample"), INBOUND.items())
def test_inbound_types(simulator: Simulator, receiver: Receiver, channel: str, sample: str) -> None:
    """Each value of an inbound webhook has the type that it has in the sample."""
    simulator.order("say", channel=channel, text="Hello")
    payload = receiver.wait_for(1)[0].payload
    assert {key: type(payload[key]) for key in _sample(sample)} == {key: type(value) for key, value in _sample(sample).items()}


def test_custom_provider_sms(simulator: Simulator, receiver: Receiver) -> None:
    """A TYPE_CUSTOM_PROVIDER_SMS differs from the other custom type only in number and name."""
    simulator.order("say", channel="TYPE_CUSTOM_PROVIDER_SMS", text="Hello", conversation_provider_id="provider")
    payload = receiver.wait_for(1)[0].payload
    assert (payload["messageType"], payload["messageTypeId"]) == ("Custom", 22)
    assert payload["conversationProviderId"] == "provider"


def test_altered_bytes(simulator: Simulator, receiver: Receiver) -> None:
    """A signature is invalid for other bytes."""
    simulator.order("say", text="Hello")
    (hook,) = receiver.wait_for(1)
    key = load_pem_public_key(simulator.ask("keys")["ed25519"].encode())
    assert isinstance(key, ed25519.Ed25519PublicKey)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(hook.headers["x-ghl-signature"]), hook.raw + b" ")


def test_both_signatures(simulator: Simulator, receiver: Receiver) -> None:
    """With the legacy signature on, both are there and valid."""
    simulator.order("defaults", legacy_signature="both")
    simulator.order("say", text="Hello")
    (hook,) = receiver.wait_for(1)
    _verify_current(simulator, hook)
    _verify_legacy(simulator, hook)


def test_only_legacy_signature(simulator: Simulator, receiver: Receiver) -> None:
    """The legacy signature can be the only one."""
    simulator.order("defaults", legacy_signature="only")
    simulator.order("say", text="Hello")
    (hook,) = receiver.wait_for(1)
    _verify_legacy(simulator, hook)
    assert "x-ghl-signature" not in hook.headers


def test_say_answers(simulator: Simulator, receiver: Receiver) -> None:
    """The answer has the ids and the receiver's answers."""
    said = simulator.order("say", text="Hello", contact_id="contact")
    payload = receiver.wait_for(1)[0].payload
    assert said["answers"] == [{"status_code": 202, "body": {"status": "accepted"}, "error": ""}]
    told = {key: said[key] for key in ("message_id", "conversation_id", "contact_id", "webhook_id")}
    assert told == {
        "message_id": payload["messageId"],
        "conversation_id": payload["conversationId"],
        "contact_id": "contact",
        "webhook_id": payload["webhookId"],
    }


def test_say_email(simulator: Simulator, receiver: Receiver) -> None:
    """An e-mail's webhook has the e-mail message id, the REST API another."""
    said = simulator.order("say", text="<p>Hello</p>", channel="Email")
    assert receiver.wait_for(1)[0].payload["emailMessageId"] == said["message_id"]
    row = simulator.ghl("GET", f"/conversations/messages/{said['rest_message_id']}").json()["message"]
    assert (row["id"], row["meta"]) == (said["rest_message_id"], {"email": {"messageIds": [said["message_id"]]}})


def test_say_at(simulator: Simulator, receiver: Receiver) -> None:
    """The time of a message can be chosen."""
    simulator.order("say", text="Hello", date_added="2026-01-02T03:04:05.678Z")
    assert receiver.wait_for(1)[0].payload["dateAdded"] == "2026-01-02T03:04:05.678Z"


def test_say_without_webhook(simulator: Simulator, receiver: Receiver) -> None:
    """A message can be without a webhook, as if GHL lost it."""
    said = simulator.order("say", text="Hello", webhook=False)
    assert said["answers"] == []
    assert simulator.texts(said["conversation_id"]) == [("inbound", "Hello")]
    assert not receiver.wait_for(1, seconds=0.3)


def test_copies(simulator: Simulator, receiver: Receiver) -> None:
    """Copies have the same bytes and webhook id, and are one message."""
    said = simulator.order("say", text="Hello", copies=3)
    assert len(said["answers"]) == 3
    assert len({hook.raw for hook in receiver.wait_for(3)}) == 1
    assert len(simulator.texts(said["conversation_id"])) == 1


def test_retries(simulator: Simulator, receiver: Receiver) -> None:
    """A webhook without a 2xx is repeated with the same bytes."""
    receiver.statuses = [503, 429]
    said = simulator.order("say", text="Hello")
    hooks = receiver.wait_for(3)
    time.sleep(0.3)
    assert said["answers"][0]["status_code"] == 503
    assert len({hook.raw for hook in hooks}) == 1
    assert simulator.counts()["webhooks"]["by_status"] == {"503": 1, "429": 1, "202": 1}


def test_gives_up(simulator: Simulator, receiver: Receiver) -> None:
    """After the last delay a webhook is not repeated."""
    receiver.statuses = [500] * 9
    simulator.order("say", text="Hello")
    receiver.wait_for(3)
    time.sleep(0.4)
    assert len(receiver.hooks) == 3


def test_unreachable(simulator: Simulator) -> None:
    """A receiver that can't be reached is reported."""
    simulator.order("defaults", webhook_url="http://127.0.0.1:9/webhooks/ghl", retry_delays=[])
    (answer,) = simulator.order("say", text="Hello")["answers"]
    assert (answer["status_code"], answer["error"].split(":")[0]) == (None, "ConnectError")
    assert simulator.counts()["webhooks"]["by_status"] == {"unreachable": 1}


def test_echo(simulator: Simulator, receiver: Receiver) -> None:
    """A post is echoed as an OutboundMessage with the keys of the sample, without a user id."""
    said = simulator.order("say", text="Hello", webhook=False)
    posted = simulator.send(said["contact_id"], message="Hi").json()
    (hook,) = receiver.wait_for(1)
    _verify_current(simulator, hook)
    assert set(hook.payload) == set(_sample("outbound_sms.json")) | ENVELOPE | {"messageId"}
    told = [hook.payload[key] for key in ("type", "direction", "messageId", "source", "body")]
    assert told == ["OutboundMessage", "outbound", posted["messageId"], "api", "Hi"]


def test_email_echo(simulator: Simulator, receiver: Receiver) -> None:
    """An e-mail's echo has the keys of the sample."""
    said = simulator.order("say", text="<p>Hello</p>", channel="Email", webhook=False)
    posted = simulator.send(said["contact_id"], type="Email", html="<p>Hi &amp; ho</p>", subject="Re").json()
    payload = receiver.wait_for(1)[0].payload
    assert set(payload) == set(_sample("outbound_email.json")) | ENVELOPE
    assert (payload["emailMessageId"], payload["plainText"]) == (posted["emailMessageId"], "Hi & ho")


def test_comment_echo(simulator: Simulator, receiver: Receiver) -> None:
    """A comment's echo has its type, and counts as no post."""
    said = simulator.order("say", text="Hello", webhook=False)
    assert simulator.send(said["contact_id"], type="InternalComment", message="A draft").status_code == 201
    assert receiver.wait_for(1)[0].payload["messageType"] == "InternalComment"
    counts = simulator.counts()
    assert counts["comments"]["by_contact"] == {said["contact_id"]: ["A draft"]}
    assert counts["posts"]["total"] == 0


def test_echo_off(simulator: Simulator, receiver: Receiver) -> None:
    """The echo can be off."""
    simulator.order("defaults", echo="off")
    simulator.send(simulator.order("say", text="Hello", webhook=False)["contact_id"], message="Hi")
    assert not receiver.wait_for(1, seconds=0.3)


def test_echo_before(simulator: Simulator, receiver: Receiver) -> None:
    """The echo can come before the answer."""
    simulator.order("defaults", echo="before")
    receiver.seconds = 0.2
    simulator.send(simulator.order("say", text="Hello", webhook=False)["contact_id"], message="Hi")
    assert time.monotonic() - receiver.hooks[0].at >= 0.2


def test_echo_later(simulator: Simulator, receiver: Receiver) -> None:
    """The echo can come later."""
    simulator.order("defaults", echo_seconds=0.3)
    simulator.send(simulator.order("say", text="Hello", webhook=False)["contact_id"], message="Hi")
    answered = time.monotonic()
    assert receiver.wait_for(1)[0].at - answered > 0.2


def test_human(simulator: Simulator, receiver: Receiver) -> None:
    """A person's message is outbound and has a user id."""
    said = simulator.order("say", text="Hello", webhook=False)
    simulator.order("human", contact_id=said["contact_id"], text="I take over", user_id="dana")
    payload = receiver.wait_for(1)[0].payload
    assert [payload[key] for key in ("type", "userId", "source")] == ["OutboundMessage", "dana", "app"]
    assert simulator.texts(said["conversation_id"])[-1] == ("outbound", "I take over")
    assert simulator.counts()["posts"]["total"] == 0


def test_workflow_message(simulator: Simulator, receiver: Receiver) -> None:
    """An automation's message has a source and no user id."""
    said = simulator.order("say", text="Hello", webhook=False)
    simulator.order("human", contact_id=said["contact_id"], text="Reminder", user_id=None, source="workflow")
    payload = receiver.wait_for(1)[0].payload
    assert (payload["source"], "userId" in payload) == ("workflow", False)


def test_arbitrary_webhook(simulator: Simulator, receiver: Receiver) -> None:
    """Any payload can be sent with a signature."""
    answers = simulator.order("webhook", payload={"type": "INSTALL"})["answers"]
    (hook,) = receiver.wait_for(1)
    _verify_current(simulator, hook)
    assert (hook.payload, answers[0]["status_code"]) == ({"type": "INSTALL"}, 202)


def test_unsigned_webhook(simulator: Simulator, receiver: Receiver) -> None:
    """Any bytes can be sent without a signature, to any path, with any headers."""
    url = receiver.url.replace("/ghl", "/workflow")
    simulator.order("webhook", raw="{broken", url=url, signed=False, headers={"X-Bridge-Secret": "s"})
    (hook,) = receiver.wait_for(1)
    assert (hook.raw, hook.headers["x-bridge-secret"], "x-ghl-signature" in hook.headers) == (b"{broken", "s", False)


def test_reset_on_the_way(simulator: Simulator, receiver: Receiver) -> None:
    """A reset while webhooks are on their way, at any time, does not affect later ones."""
    for moment in range(30):
        simulator.order("defaults", webhook_url=receiver.url)
        for _ in range(3):
            simulator.order("say", text="Hello", wait=False)
        time.sleep(moment / 10_000)
        simulator.order("reset")
        simulator.order("defaults", webhook_url=receiver.url, webhook_timeout=1)
        assert simulator.order("say", text="Hello")["answers"][0]["status_code"] == 202
