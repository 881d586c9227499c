"""Webhooks: which are accepted, which are refused, and with which answers."""

from __future__ import annotations

import base64
import json
import socket
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from bridge.receiver.bodies import BODY_SECONDS
from bridge.simulator import keys
from tests.story.machine import poll

if TYPE_CHECKING:
    from pathlib import Path

    from tests.story.machine import Machine, Person

UNAUTHORIZED = (401, {"status": "unauthorized"})
MEGABYTE = 1024 * 1024


def webhook(person: Person, text: str = "Knock knock", **changed: Any) -> bytes:
    """A webhook in GHL's real form that was not sent yet."""
    return person.machine.webhook_of(person.says(text, webhook=False), **changed)


def signed(machine: Machine, body: bytes) -> dict[str, str]:
    """Both signatures of a body."""
    return machine.signer.signatures(body, legacy="both")


def test_the_legacy_signature_alone_is_enough(machine: Machine) -> None:
    """A webhook with only RSA is accepted and answered."""
    ana = machine.person("Plain")
    machine.sim.order("defaults", legacy_signature="only")

    said = ana.says("Signed the old way")

    assert said["answers"][0]["status_code"] == 202
    assert ana.settles(said).status == "replied"


@pytest.mark.parametrize("absent", ["N/A", "n/a", ""])
def test_a_signature_of_na_counts_as_absent(machine: Machine, absent: str) -> None:
    """`N/A` instead of the Ed25519 signature leaves the decision to RSA; instead of both, the webhook is refused."""
    body = webhook(machine.person("Plain"))
    legacy = signed(machine, body)["X-WH-Signature"]

    refused = machine.post(body, {"X-GHL-Signature": absent, "X-WH-Signature": absent})
    accepted = machine.post(body, {"X-GHL-Signature": absent, "X-WH-Signature": legacy})

    assert (refused.status_code, refused.json()) == UNAUTHORIZED
    assert accepted.status_code == 202


def test_a_wrong_current_signature_never_falls_back_to_the_legacy_one(machine: Machine, tmp_path: Path) -> None:
    """Beside a valid RSA signature, an Ed25519 one of another key or body, or none at all, is refused."""
    ana = machine.person("Plain")
    body = webhook(ana)
    right = signed(machine, body)
    stranger = keys.load(tmp_path).signatures(body, legacy="off")["X-GHL-Signature"]
    other_body = signed(machine, body + b" ")["X-GHL-Signature"]
    for wrong in (stranger, other_body, base64.b64encode(b"short").decode(), "not base64!", "=", right["X-WH-Signature"]):
        answer = machine.post(body, {**right, "X-GHL-Signature": wrong})
        assert (answer.status_code, answer.json()) == UNAUTHORIZED, wrong

    assert machine.post(body, right).status_code == 202


def test_without_a_signature_nobody_is_let_in(machine: Machine) -> None:
    """No header, a stranger's RSA, a repeated header: 401 without details, and nothing is stored."""
    ana = machine.person("Plain")
    body = webhook(ana)
    twice = [("X-GHL-Signature", signed(machine, body)["X-GHL-Signature"])] * 2

    plain = machine.post(body, {})
    forged = machine.post(body, {"X-WH-Signature": base64.b64encode(b"\0" * 256).decode()})
    repeated = machine.http.post(f"{machine.url}/webhooks/ghl", content=body, headers=twice)

    assert [(each.status_code, each.json()) for each in (plain, forged, repeated)] == [UNAUTHORIZED] * 3
    assert machine.cli("explain", json.loads(body)["messageId"]).returncode == 2
    assert ana.completions == 0


def test_the_bytes_are_verified_and_not_their_meaning(machine: Machine) -> None:
    """The same JSON with other white space does not match the signature."""
    body = webhook(machine.person("Plain"))
    respaced = json.dumps(json.loads(body), indent=1).encode()

    answer = machine.post(respaced, signed(machine, body))

    assert (answer.status_code, answer.json()) == UNAUTHORIZED


def test_a_webhook_that_comes_again_is_a_duplicate(machine: Machine) -> None:
    """The same webhook id, or the same message under another webhook id, gets 200 `duplicate` and causes no second question."""
    ana = machine.person("Plain")
    said = ana.says("Only once please")

    same_webhook = machine.post(machine.webhook_of(said, webhookId=said["webhook_id"], messageId="another"))
    same_message = machine.post(machine.webhook_of(said, webhookId=str(uuid4())))

    for answer in (same_webhook, same_message):
        assert (answer.status_code, answer.json()["status"]) == (200, "duplicate")
    assert ana.settles(said).status == "replied"
    assert (ana.completions, len(ana.replies)) == (1, 1)


def test_a_duplicate_is_known_after_the_reply_too(machine: Machine) -> None:
    """A webhook that GHL repeats after the reply changes nothing."""
    ana = machine.person("Plain")
    said = ana.says("Once and never again", copies=3)
    assert sorted(each["status_code"] for each in said["answers"]) == [200, 200, 202]
    assert ana.settles(said).status == "replied"

    late = machine.post(machine.webhook_of(said))

    assert late.json()["status"] == "duplicate"
    assert ana.settles(said).status == "replied"
    assert (ana.completions, len(ana.replies)) == (1, 1)


def test_a_message_of_an_unknown_location_is_ignored(machine: Machine) -> None:
    """It is authentic, so it is no 4xx; it is not stored either, so the location's first `apply` starts empty."""
    stranger = machine.person("NeverApplied")

    said = stranger.says("Anybody there?")

    [answer] = said["answers"]
    assert (answer["status_code"], answer["body"]["status"], answer["body"]["reason"]) == (200, "ignored", "unknown_location")
    assert machine.cli("explain", said["message_id"]).returncode == 2


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"type": "OutboundMessage", "direction": "outbound"}, "not_inbound"),
        ({"direction": "outbound"}, "not_inbound"),
        ({"type": "ContactCreate"}, "not_a_message"),
        ({"type": "INSTALL"}, "not_a_message"),
        ({"type": None}, "not_a_message"),
        ({"messageType": "CALL", "messageTypeString": "TYPE_CALL", "messageTypeId": 1}, "not_a_message"),
        ({"messageType": "CALL", "messageTypeString": "TYPE_VOICEMAIL", "messageTypeId": 10}, "not_a_message"),
        ({"messageType": "Telepathy", "messageTypeString": "TYPE_TELEPATHY", "messageTypeId": 99, "body": ""}, "not_a_message"),
        ({"payloadTooLarge": True}, "unparseable"),
        ({"locationId": None}, "unparseable"),
        ({"contactId": "has:colon"}, "unparseable"),
    ],
)
def test_an_authentic_event_with_nothing_to_answer_is_ignored(machine: Machine, changed: dict[str, Any], reason: str) -> None:
    """The answer is 200 with the contract's reason, and no completion is requested."""
    ana = machine.person("Plain")

    answer = machine.post(webhook(ana, **changed))

    assert (answer.status_code, answer.json()["status"], answer.json()["reason"]) == (200, "ignored", reason)
    assert ana.completions == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 100_000, b'{"type": NaN}'])
def test_an_authentic_body_that_can_not_be_read_is_ignored(machine: Machine, body: bytes) -> None:
    """For any bytes with GHL's signature the answer says not to send them again."""
    answer = machine.post(body)

    assert (answer.status_code, answer.json()) == (200, {"status": "ignored", "reason": "unparseable"})


@pytest.mark.parametrize(
    "text",
    [
        "half an emoji \\ud83d",
        "nul \\u0000 and bell \\u0007",
        "\\u202eright to left",
        "👩‍👩‍👧‍👦 " * 2000,
        "x" * 30_000,
        "'; DROP TABLE {{7*7}} %s",
    ],
)
def test_whatever_a_contact_writes_is_answered(machine: Machine, text: str) -> None:
    """Broken, endless or hostile, any text gets its one reply."""
    ana = machine.person("Plain")
    ana.fault("completion", {"kind": "text", "text": "I see."})
    said = ana.says("placeholder", webhook=False)
    body = machine.webhook_of(said).replace(b"placeholder", text.encode())

    assert machine.post(body).status_code == 202
    assert ana.settles(said).status == "replied"
    assert (ana.completions, ana.replies) == (1, ["I see."])


def test_events_of_another_app_are_ignored_where_an_app_is_named(machine: Machine) -> None:
    """With GHL_APP_ID set, another `appId` is `other_app`; the own one and an absent one are accepted."""
    url = machine.start_second_receiver(GHL_APP_ID="665c6bb13d4e5364bdec0e2f")
    ana = machine.person("Plain")

    other = machine.post(webhook(ana, appId="somebodyElses"), url=url)
    own = machine.post(webhook(ana), url=url)
    absent = machine.post(webhook(ana, appId=None), url=url)

    assert (other.status_code, other.json()["status"], other.json()["reason"]) == (200, "ignored", "other_app")
    assert [own.status_code, absent.status_code] == [202, 202]


def test_a_call_of_a_known_contact_can_be_explained(machine: Machine) -> None:
    """A call is not answered, and `explain` says why."""
    ana = machine.person("Plain")
    body = webhook(ana, messageType="CALL", messageTypeString="TYPE_CALL", messageTypeId=1, body=None)

    assert machine.post(body).json()["reason"] == "not_a_message"

    [message] = machine.explain(json.loads(body)["messageId"])["messages"]
    assert (message["status"], message["reason"]) == ("skipped", "not_a_message")


def test_a_body_of_exactly_one_mebibyte_is_read(machine: Machine) -> None:
    """It is the largest accepted size; the text is cut, the message is not lost."""
    ana = machine.person("Plain")
    body = webhook(ana)
    body = body[:-1] + b" " * (MEGABYTE - len(body)) + b"}"

    assert len(body) == MEGABYTE
    assert machine.post(body).status_code == 202
    assert machine.post(body + b" ").status_code == 413


def test_a_body_that_announces_too_much_is_refused_before_it_comes(machine: Machine) -> None:
    """With a `Content-Length` over the limit the answer comes before a byte of the body was sent."""
    with socket.create_connection(("127.0.0.1", int(machine.environ["PORT"])), timeout=5) as sock:
        sock.sendall(b"POST /webhooks/ghl HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n")

        answer = poll("an answer", lambda: _read_to(sock, b'{"status":"too_large"}'))

    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("head", [b"Transfer-Encoding: chunked", b"Content-Length: 4000000000"])
def test_a_body_without_end_is_refused_and_not_read(machine: Machine, head: bytes) -> None:
    """The answer comes at the limit, and then the connection is closed."""
    chunk = b"x" * 65536
    frame = b"%x\r\n%s\r\n" % (len(chunk), chunk) if b"chunked" in head else chunk
    sent, answer = 0, b""
    with socket.create_connection(("127.0.0.1", int(machine.environ["PORT"])), timeout=10) as sock:
        sock.sendall(b"POST /webhooks/ghl HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
        sock.settimeout(0.02)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and sent < 256 * MEGABYTE:
            try:
                sock.sendall(frame)
                sent += len(frame)
            except TimeoutError:
                pass
            except OSError:
                break
            if not answer:
                try:
                    answer = sock.recv(65536)
                except TimeoutError:
                    pass
                except OSError:
                    break

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert sent < 32 * MEGABYTE
    assert machine.http.get(f"{machine.url}/healthz").status_code == 200


def test_a_sender_who_sends_all_of_a_large_body_still_reads_the_answer(machine: Machine) -> None:
    """A body of two mebibytes gets 413, not a reset connection: GHL's client sends first and reads then."""
    for _ in range(10):
        assert machine.post(b"x" * 2 * MEGABYTE).status_code == 413


def test_a_body_that_trickles_in_does_not_hold_others_up(machine: Machine) -> None:
    """With fifty senders who stop within a body a fifty-first is accepted."""
    body = webhook(machine.person("Plain"))
    idle = [socket.create_connection(("127.0.0.1", int(machine.environ["PORT"]))) for _ in range(50)]
    try:
        for sock in idle:
            sock.sendall(b"POST /webhooks/ghl HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")

        began = time.monotonic()
        assert machine.post(body).status_code == 202
        assert time.monotonic() - began < BODY_SECONDS / 2
    finally:
        for sock in idle:
            sock.close()


def _read_to(sock: socket.socket, end: bytes) -> bytes:
    read = b""
    while end not in read and (data := sock.recv(65536)):
        read += data
    return read
