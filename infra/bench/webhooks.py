"""Signed webhooks in GHL's real form, prepared before the measurement: a contact's first message, or a later one."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FIRST = "Hi, do you have a free appointment for a check-up on Thursday afternoon, please?"
LATER = "The one at half past two, please. Do I have to bring anything along, and where can I park?"
HEAD = (
    "POST /webhooks/ghl HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    "X-GHL-Signature: {signature}\r\nContent-Length: {length}\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A complete request, ready to be sent, and its contact."""

    location_id: str
    contact_id: str
    conversation_id: str
    request: bytes


def make(count: int, key: Ed25519PrivateKey, locations: Sequence[str]) -> list[Webhook]:
    """A number of webhooks for these locations in turn, each of a new contact."""
    each = (locations[number % len(locations)] for number in range(count))
    return [_make(key, location, uuid4().hex[:20], uuid4().hex[:20], FIRST) for location in each]


def make_later(webhooks: Iterable[Webhook], key: Ed25519PrivateKey) -> list[Webhook]:
    """The next message of each of these contacts."""
    return [_make(key, one.location_id, one.contact_id, one.conversation_id, LATER) for one in webhooks]


def _make(key: Ed25519PrivateKey, location: str, contact: str, conversation: str, text: str) -> Webhook:
    return _signed(key, _event(location, contact, conversation, text), location, contact, conversation)


def _signed(key: Ed25519PrivateKey, event: dict[str, object], location: str, contact: str, conversation: str) -> Webhook:
    body = orjson.dumps(event)
    signature = base64.b64encode(key.sign(body)).decode()
    return Webhook(location, contact, conversation, HEAD.format(signature=signature, length=len(body)).encode() + body)


def make_ignored(count: int, key: Ed25519PrivateKey, locations: Sequence[str]) -> list[Webhook]:
    """Events without an answer, of new contacts: a campaign's message, a contact's tags, an opportunity, in turn."""
    each = (locations[number % len(locations)] for number in range(count))
    events = (_ignored(number, location, uuid4().hex[:20], uuid4().hex[:20]) for number, location in enumerate(each))
    return [_signed(key, event, str(event["locationId"]), uuid4().hex, "") for event in events]


def _ignored(number: int, location: str, contact: str, conversation: str) -> dict[str, object]:
    campaign = {
        **_event(location, contact, conversation, FIRST),
        "type": "OutboundMessage",
        "direction": "outbound",
        "source": "workflow",
        "status": "sent",
    }
    envelope = {name: campaign[name] for name in ("locationId", "timestamp", "webhookId", "appId", "versionId")}
    tags = {**envelope, "type": "ContactTagUpdate", "id": contact, "tags": ["lead", "newsletter"], "firstName": "Ana"}
    opportunity = {**envelope, "type": "OpportunityCreate", "id": conversation, "contactId": contact, "monetaryValue": 500}
    return (campaign, tags, opportunity)[number % 3]


def _event(location: str, contact: str, conversation: str, text: str) -> dict[str, object]:
    """An event as GHL documents it, with its envelope."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "type": "InboundMessage",
        "locationId": location,
        "attachments": [],
        "body": text,
        "contactId": contact,
        "contentType": "text/plain",
        "conversationId": conversation,
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
