"""The benchmark's tools measure what they claim."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.signing import VerifyKey

from bridge.ghl import events, signature
from bridge.model import ContactUpdate, Ignored, InboundMessage, OutboundMessage
from bridge.store.redis.partitions import partition_of
from infra.bench.clustered import QUICK, Measured, Side, locations_in, measure_idle, measure_sides
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


def test_partitions_differ_only_in_their_number() -> None:
    """The same number of locations is in one, four or all partitions, evenly."""
    for used in (1, 4, 16):
        found = Counter(map(partition_of, locations_in(used)))
        assert set(found.values()) == {16 // used}
        assert len(found) == used


def test_a_row_tells_the_busiest_node_and_whether_a_server_stays_within_its_limit() -> None:
    """A reply in several partitions of one server may cost 1.05 of one in a single partition; a cluster has no such limit."""
    first, dear, apart = Side("one", "a", ("a",), 1), Side("one", "b", ("b",), 4), Side("a cluster of 2", "c", ("d", "e"))
    for side, cpu in ((first, (2.0,)), (dear, (2.2,)), (apart, (1.0, 1.5))):
        side.replies.append(Measured(cpu, 50.0))
        side.accepts.append(Measured(cpu, 50.0))
    assert first.row(first)[2:5] == ("2.00", "2.00", "1.00")
    assert dear.row(first)[4] == "1.10 (at most 1.05: missed)"
    assert apart.row(first)[2:5] == ("2.50", "1.50", "1.25")


@pytest.mark.nightly
@pytest.mark.timeout(300)
def test_the_cost_of_a_cluster_is_measured() -> None:
    """The quick run prints a row for each state, and for idle workers on one server and on a cluster."""
    with tempfile.TemporaryDirectory() as folder:
        told = measure_sides(QUICK, Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        idle = measure_idle(QUICK, Path(folder))
    assert [told.count(f"| {name} ") for name in ("one server", "a cluster of 2", "a cluster of 4")] == [3, 1, 1]
    assert [idle.count(f"| {name} ") for name in ("one server", "a cluster of 2")] == [1, 1]
