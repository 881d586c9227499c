"""The benchmark's tools measure what they claim."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.signing import VerifyKey

from bridge.ghl import events, signature
from bridge.model import ContactUpdate, Ignored, InboundMessage, OutboundMessage
from infra.bench.far_side import FarSide
from infra.bench.load import at_rate, flood, percentile
from infra.bench.sides import compare
from infra.bench.webhooks import Webhook, make, make_ignored

HERE = ("here",)


def _body(webhook: Webhook) -> bytes:
    return webhook.request.partition(b"\r\n\r\n")[2]


def test_a_webhook_is_signed_and_holds_one_message_of_a_new_contact() -> None:
    """The sender's webhooks are accepted by the receiver."""
    key = Ed25519PrivateKey.generate()
    for webhook in make(3, key, HERE):
        head, _, body = webhook.request.partition(b"\r\n\r\n")
        headers = dict(line.split(": ") for line in head.decode().split("\r\n")[1:])

        signature.verify(body, headers, signature.PublicKeys(ed25519=(VerifyKey(key.public_key().public_bytes_raw()),)))
        message = events.parse(body)

        assert isinstance(message, InboundMessage)
        assert message.contact_id == webhook.contact_id


def test_events_that_nobody_answers_are_of_each_kind() -> None:
    """A campaign's message, a contact's change and an event without data are accepted in turn."""
    told = [type(events.parse(_body(one))) for one in make_ignored(3, Ed25519PrivateKey.generate(), HERE)]

    assert told == [OutboundMessage, ContactUpdate, Ignored]


def test_a_row_is_the_middle_ratio_of_its_rounds_and_what_came_since_is_taken_off() -> None:
    """Only figures of one round are compared, and the verdict is that of the ratio."""
    row = compare(1, "what", [2.0, 4.0, 9.0], [4.0, 4.0, 10.0], most=0.9, off=1.0)

    assert (row.ratio, row.less, row.cells[-1]) == (0.9, 0.75, "met")


async def test_every_webhook_is_sent_once_and_every_answer_counted() -> None:
    """At full speed or at a rate, every webhook is sent once."""
    far_side = FarSide()
    port = int((await far_side.open()).rpartition(":")[2])
    webhooks = make(200, Ed25519PrivateKey.generate(), HERE)

    flooded = await flood(port, webhooks[:100], connections=7)
    paced = await at_rate(port, webhooks[100:], rate=2000, connections=7)

    assert flooded.statuses == paced.statuses == {200: 100}
    assert {contact: len(times) for contact, times in far_side.posts.items()} == {one.contact_id: 1 for one in webhooks}
    assert paced.ended - paced.began > 99 / 2000
    far_side.close()


def test_a_percentile_is_a_value_that_was_measured() -> None:
    """Of a hundred values, ninety-nine are below the 99th percentile."""
    values = [float(number) for number in range(100)]

    assert [percentile(values, percent) for percent in (50, 99, 100)] == [50.0, 99.0, 99.0]
