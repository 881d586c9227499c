"""Bytes of strangers: GHL's own samples, changed at random.

Each test lasts FUZZ_SECONDS: 1, and 20 where CI is set, which is a minute for the three.
"""

from __future__ import annotations

import json
import os
import time
from base64 import b64encode
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.signing import VerifyKey

from bridge.errors import Unauthorized
from bridge.ghl import events, workflow
from bridge.ghl.signature import PublicKeys, verify
from bridge.model import ContactUpdate, InboundMessage, OutboundMessage
from bridge.store.lanes.inbox import accepted_event, inbound_fields
from bridge.store.lanes.messages import decode, encode
from bridge.store.lanes.outbound import outbound_fields
from bridge.store.lanes.standings import contact_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = float(os.environ.get("FUZZ_SECONDS") or (20 if os.environ.get("CI") else 1))
ROUND = settings(max_examples=100, database=None, deadline=None, suppress_health_check=list(HealthCheck))
SAMPLES = [path.read_bytes() for path in sorted((Path(__file__).parent / "samples").rglob("*.json")) if path.name != "INDEX.json"]
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1e308,
    2**63,
    "",
    " ",
    "\x00",
    "\ud800",
    "N/A",
    "{{contact.id}}",
    "x" * 9000,
    [],
    {},
    [[]],
)
JUNK = st.recursive(
    st.sampled_from(ODD) | st.text() | st.integers() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
pytestmark = pytest.mark.timeout(int(60 + 3 * SECONDS))


def for_long(test: Callable[[], None]) -> None:
    """Run rounds of different examples until the time is over."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        test()


def places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document: its container and its key."""
    keys = document if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    for key in list(keys):
        yield document, key
        yield from places(document[key])


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A sample with values of other types in some places, and sometimes with foreign bytes."""
    document = json.loads(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 4))):
        if found := list(places(document)):
            holder, key = found[draw(st.integers(0, len(found) - 1))]
            holder[key] = deepcopy(draw(JUNK))
    body = json.dumps(document).encode()
    if draw(st.booleans()):
        at, length = draw(st.integers(0, len(body))), draw(st.integers(0, 3))
        body = body[:at] + draw(st.binary(max_size=3)) + body[at + length :]
    return body


def kept(told: object) -> None:
    """An event's data is stored unchanged when it is accepted."""
    match told:
        case InboundMessage():
            assert decode(encode(told).decode()) == told
            orjson.dumps(inbound_fields(told, accepted_event(told)))
            assert str(told.lane).count(":") == 1
        case OutboundMessage():
            orjson.dumps(outbound_fields(told))
        case ContactUpdate():
            assert contact_args(told, 1)
        case _:
            repr(told).encode()


def header(signature: bytes) -> dict[str, str]:
    """The newer of GHL's two headers."""
    return {"x-ghl-signature": b64encode(signature).decode()}


def test_no_marketplace_event_breaks_the_parser() -> None:
    """With anything in its fields, an event is accepted, or ignored with a reason, and can be stored."""

    @ROUND
    @given(changed())
    def once(body: bytes) -> None:
        kept(events.parse(body, app_id="app"))

    for_long(once)


def test_no_workflow_webhook_breaks_the_parser() -> None:
    """Any workflow webhook is accepted, or ignored with a reason."""

    @ROUND
    @given(changed(), st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", ""]))
    def once(body: bytes, content_type: str) -> None:
        kept(workflow.parse(body, content_type=content_type, fresh_id="fresh"))

    for_long(once)


def test_only_the_signed_bytes_verify() -> None:
    """A signature of one body, changed or not, is valid for no other body, and no other signature for that one."""
    key = Ed25519PrivateKey.generate()
    keys = PublicKeys(ed25519=(VerifyKey(key.public_key().public_bytes_raw()),))

    @ROUND
    @given(st.sampled_from(SAMPLES), changed(), st.binary(max_size=80), st.integers(0, 511))
    def once(body: bytes, other: bytes, garbage: bytes, bit: int) -> None:
        true = key.sign(body)
        forged = bytearray(true)
        forged[bit // 8] ^= 1 << bit % 8
        verify(body, header(true), keys)
        for what, by in ((other, true), (body, bytes(forged)), (body, garbage)):
            if what != body or by != true:
                with pytest.raises(Unauthorized):
                    verify(what, header(by), keys)

    for_long(once)
