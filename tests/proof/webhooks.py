"""GHL's signed webhooks as bytes, and their queue until they are accepted."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.ghl.signature import read_keys
from tests.proof.far_side import LOCATION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.proof.record import Row

KEY = Ed25519PrivateKey.from_private_bytes(b"a key of the harness, 32 bytes .")
KEYS = read_keys(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


@dataclass(slots=True, kw_only=True)
class Webhook:
    """A webhook on its way. `at` is the time (s) at which GHL sends it, or repeats it."""

    at: float
    kind: str
    contact: str
    id: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    workflow: bool = False


def of_row(row: Row, *, at: float, workflow: bool = False) -> Webhook:
    """The webhook for a message."""
    told: dict[str, Any] = {
        "type": "InboundMessage" if row.inbound else "OutboundMessage",
        "locationId": LOCATION,
        "contactId": row.contact,
        "conversationId": f"conversation-{row.contact}",
        "messageId": row.id,
        "messageType": row.type.removeprefix("TYPE_"),
        "messageTypeString": row.type,
        "direction": "inbound" if row.inbound else "outbound",
        "body": row.text,
        "dateAdded": _moment(row.at_ms),
        "attachments": list(row.attachments),
        "source": row.source,
        **({"userId": row.user_id} if row.user_id else {}),
        **({"conversationProviderId": row.provider} if row.provider else {}),
    }
    kind = row.by if row.by in {"contact", "person"} else "echo"
    if workflow:
        pairs = {"contact_id": row.contact, "location": {"id": LOCATION}, "message": {"type": 2, "body": row.text}}
        return Webhook(
            at=at,
            kind="copy",
            contact=row.contact,
            id=row.id,
            body=_bytes(pairs),
            headers={"x-bridge-secret": "word"},
            workflow=True,
        )
    return signed(told, at=at, kind=kind, contact=row.contact, id_=row.id)


def uninstall(at: float, ms: int) -> Webhook:
    """The webhook of an uninstall."""
    return _app_change("UNINSTALL", at, ms)


def install(at: float, ms: int) -> Webhook:
    """The webhook of an install."""
    return _app_change("INSTALL", at, ms)


def _app_change(type_: str, at: float, ms: int) -> Webhook:
    told = {"type": type_, "locationId": LOCATION, "companyId": "company", "timestamp": _moment(ms)}
    return signed(told, at=at, kind=type_.lower(), contact="", id_="")


def contact_update(at: float, ms: int, **told: Any) -> Webhook:
    """The contact's tags or its wish not to be disturbed have changed."""
    update = {"type": "ContactUpdate", "locationId": LOCATION, "id": "contact", "timestamp": _moment(ms), **told}
    return signed(update, at=at, kind="update", contact="contact", id_="")


def signed(told: Mapping[str, Any], *, at: float, kind: str, contact: str, id_: str) -> Webhook:
    """A webhook with GHL's signature."""
    body = _bytes(told)
    headers = {"x-ghl-signature": base64.b64encode(KEY.sign(body)).decode()}
    return Webhook(at=at, kind=kind, contact=contact, id=id_, body=body, headers=headers)


def _bytes(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told).encode()


def _moment(ms: int) -> int:
    return ms
