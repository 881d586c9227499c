"""What the sweep reads from GHL: conversations by their newest message, and listed messages in place of missed webhooks.

https://marketplace.gohighlevel.com/docs/ghl/conversations/search-conversation
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from bridge.errors import Retryable
from bridge.ghl import events
from bridge.ghl.fields import identifier, moment_ms
from bridge.ghl.refusals import refusal
from bridge.model import ContactId, ConversationId, InboundMessage
from bridge.wire.answers import as_text, date_ms, json_object, part, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.model import LocationId


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundConversation:
    """A conversation of the search result: the time of its newest message (ms, GHL's clock), and whether the contact wrote it."""

    conversation_id: ConversationId
    contact_id: ContactId
    last_ms: int
    inbound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversations:
    """A page of the search, the newest message first.

    `next_before_ms` is the time before which the next page begins, 0 after the last page; `at_ms` is GHL's clock at its answer, 0
    if unknown.
    """

    found: tuple[FoundConversation, ...]
    next_before_ms: int
    at_ms: int


def decipher_conversations(status: int, headers: Mapping[str, str], body: bytes, *, limit: int) -> Conversations:
    """Read `GET /conversations/search`. Rows that can't be read are left out. Raises as `messages.decipher`."""
    document = _read(status, headers, body, what="search for conversations")
    rows = document.get("conversations")
    if not isinstance(rows, list):
        raise Retryable(f"GHL's list of conversations can't be read: HTTP {status}, {shape(body)}")
    found = tuple(one for row in rows if (one := _found(row)))
    last = rows[-1] if len(rows) >= limit else None
    return Conversations(found=found, next_before_ms=_place(last), at_ms=date_ms(headers))


def decipher_email(status: int, headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
    """Read `GET /conversations/messages/email/{id}`, flat as documented or nested. Raises as `messages.decipher`."""
    document = _read(status, headers, body, what="e-mail")
    nested = document.get("emailMessage")
    return nested if isinstance(nested, dict) else document


def as_message(row: Mapping[str, Any], *, location_id: LocationId, conversation: FoundConversation) -> InboundMessage | None:
    """Read a row of the list as its missed webhook; None if a webhook would not have been a message."""
    shown = {name: row.get(name) for name in ("body", "attachments", "dateAdded", "direction", "conversationProviderId")}
    kind = {"messageTypeString": row.get("messageType"), "messageTypeId": row.get("type")}
    return _parsed({"messageId": row.get("id"), **kind, **shown}, location_id, conversation)


def as_email(row: Mapping[str, Any], *, location_id: LocationId, conversation: FoundConversation) -> InboundMessage | None:
    """Read an e-mail as its missed webhook. Webhooks use another id for it than the list."""
    names = ("body", "attachments", "dateAdded", "direction", "conversationProviderId", "subject", "threadId", "from", "to")
    shown = {name: row.get(name) for name in names}
    kind = {"messageTypeString": "TYPE_EMAIL", "messageType": "Email"}
    return _parsed({"emailMessageId": row.get("id"), **kind, **shown}, location_id, conversation)


def _parsed(event: dict[str, Any], location_id: LocationId, conversation: FoundConversation) -> InboundMessage | None:
    ids = {"locationId": location_id, "contactId": conversation.contact_id, "conversationId": conversation.conversation_id}
    parsed = events.parse(orjson.dumps({"type": "InboundMessage", **event, **ids}))
    return parsed if isinstance(parsed, InboundMessage) else None


def _read(status: int, headers: Mapping[str, str], body: bytes, *, what: str) -> dict[str, Any]:
    if not 200 <= status < 300:  # noqa: PLR2004 - the protocol's own numbers
        raise refusal(status, headers, body, what=what)
    return json_object(body) or {}


def _found(row: Any) -> FoundConversation | None:
    conversation_id, contact_id = identifier(part(row, "id")), identifier(part(row, "contactId"))
    last = moment_ms(part(row, "lastMessageDate"))
    if not conversation_id or not contact_id or not last:
        return None
    return FoundConversation(
        conversation_id=ConversationId(conversation_id),
        contact_id=ContactId(contact_id),
        last_ms=last,
        inbound=as_text(part(row, "lastMessageDirection")).lower() == "inbound",
    )


def _place(row: Any) -> int:
    """The position of the next page after this row: its `sort`, else the date by which rows are sorted."""
    sort = part(row, "sort")
    return moment_ms(sort[0] if isinstance(sort, list) and sort else part(row, "lastMessageDate"))
