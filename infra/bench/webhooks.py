"""Signed webhooks in GHL's real form, made before anything is measured: one message each, every contact a new one."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HEAD = (
    "POST /webhooks/ghl HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    "X-GHL-Signature: {signature}\r\nContent-Length: {length}\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A whole request, ready to be written, and who is told of in it."""

    location_id: str
    contact_id: str
    request: bytes


def make(count: int, key: Ed25519PrivateKey, locations: Sequence[str]) -> list[Webhook]:
    """So many, over these locations in turn."""
    return [_make(key, locations[number % len(locations)]) for number in range(count)]


def _make(key: Ed25519PrivateKey, location: str) -> Webhook:
    contact = uuid4().hex[:20]
    body = orjson.dumps(_event(location, contact))
    signature = base64.b64encode(key.sign(body)).decode()
    return Webhook(location, contact, HEAD.format(signature=signature, length=len(body)).encode() + body)


def _event(location: str, contact: str) -> dict[str, object]:
    """As GHL documents it, envelope included."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "type": "InboundMessage",
        "locationId": location,
        "attachments": [],
        "body": "Hi, do you have a free appointment for a check-up on Thursday afternoon, please?",
        "contactId": contact,
        "contentType": "text/plain",
        "conversationId": uuid4().hex[:20],
        "dateAdded": now,
        "direction": "inbound",
        "messageType": "SMS",
        "status": "delivered",
        "from": "+15550100001",
        "to": "+15550100002",
        "messageTypeId": 2,
        "messageTypeString": "TYPE_SMS",
        "appId": "665c6bb13d4e5364bdec0e2f",
        "versionId": "665c6bb13d4e5364bdec0e2f",
        "messageId": uuid4().hex[:20],
        "timestamp": now,
        "webhookId": str(uuid4()),
    }
