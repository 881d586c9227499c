"""GHL's marketplace webhooks → one InboundMessage for all channels, or the reason why there is nothing to answer.

Facts: https://marketplace.gohighlevel.com/docs/webhook/InboundMessage, read 2026-08-30, and tests/samples, GHL's own payloads.
"""

from __future__ import annotations

from email.utils import parseaddr
from hashlib import sha256
from typing import Any

from bridge.ghl import fields
from bridge.ghl.channels import Kind, kind_of, told_word
from bridge.ghl.email.own_words import own_text
from bridge.model import (
    AppChange,
    Channel,
    ContactId,
    ContactUpdate,
    ConversationId,
    Ignored,
    InboundMessage,
    LocationId,
    MessageId,
    OutboundMessage,
    Reason,
)

MAX_TEXT = 20_000
MAX_ATTACHMENTS = 50

APP_EVENTS = ("INSTALL", "UNINSTALL")

_MAX_BODY = 1_048_576
_MAX_SUBJECT = 1_000
_MAX_SENDER = 500
_MAX_WORD = 100
_MAX_TAGS = 500

Event = InboundMessage | OutboundMessage | ContactUpdate | AppChange | Ignored


def parse(body: bytes, *, app_id: str = "") -> Event:
    """Turn the raw body of a verified webhook into an event, or the reason to ignore it. Never raises, whatever the bytes.

    With `app_id`, events that name another app are `other_app`; events that name none pass.
    """
    event = fields.read_event(body)
    if event is None:
        return Ignored(reason=Reason.UNPARSEABLE)
    if reason := _why_ignored(event, app_id):
        return _telling(event, reason) or _ignored(event, reason)
    kind = _kind(event)
    if kind is None or (kind.channel is Channel.UNKNOWN and not fields.text(event.get("body"), limit=MAX_TEXT).strip()):
        return _ignored(event, Reason.NOT_A_MESSAGE)
    if not fields.identifier(event.get("locationId")) or not fields.identifier(event.get("contactId")):
        return _ignored(event, Reason.UNPARSEABLE)
    return _message(event, kind, fallback_id=f"sha256-{sha256(body).hexdigest()}")


def _why_ignored(event: dict[str, Any], app_id: str) -> Reason | None:
    if app_id and event.get("appId") not in (None, "", app_id):
        return Reason.OTHER_APP
    # GHL shortens events over 256 KB and marks them; any field may be missing.
    if event.get("payloadTooLarge") is True:
        return Reason.UNPARSEABLE
    match event.get("type"):
        case "InboundMessage":
            return None if is_inbound(event.get("direction")) else Reason.NOT_INBOUND
        case "OutboundMessage":
            return Reason.NOT_INBOUND
        case _:
            return Reason.NOT_A_MESSAGE


def _telling(event: dict[str, Any], reason: Reason) -> OutboundMessage | ContactUpdate | AppChange | None:
    """The information in an event that needs no answer: who else writes, a contact's data, installs of the app."""
    event_type = _word(event, "type")
    if reason is Reason.NOT_INBOUND and event_type == "OutboundMessage" and _names(event, "locationId", "contactId"):
        return _outbound(event)
    if reason is Reason.NOT_A_MESSAGE and event_type.startswith("Contact") and _names(event, "locationId", "id"):
        return _contact(event)
    if (
        reason is Reason.NOT_A_MESSAGE
        and event_type in APP_EVENTS
        and (_names(event, "locationId") or _names(event, "companyId"))
    ):
        return _app_change(event)
    return None


def _names(event: dict[str, Any], *names: str) -> bool:
    return all(_id(event, name) for name in names)


def _outbound(event: dict[str, Any]) -> OutboundMessage:
    return OutboundMessage(
        id=MessageId(_id(event, "messageId", "emailMessageId", "webhookId")),
        location_id=LocationId(_id(event, "locationId")),
        contact_id=ContactId(_id(event, "contactId")),
        conversation_id=ConversationId(_id(event, "conversationId")),
        type=_word(event, "messageTypeString") or _word(event, "messageType"),
        text=fields.text(event.get("body"), limit=_MAX_BODY),
        date_added_ms=_date_added_ms(event),
        user_id=_id(event, "userId"),
        source=_word(event, "source"),
        status=_word(event, "status"),
        channel=kind.channel if (kind := _kind(event)) else "",
        call_seconds=fields.call_seconds(event.get("callDuration"), event.get("callStatus")),
    )


def _contact(event: dict[str, Any]) -> ContactUpdate | None:
    """None if it has no data for the guards. Its `dateAdded` is the contact's, so only `timestamp` is the event's time."""
    tags, dnd, settings = event.get("tags"), event.get("dnd"), event.get("dndSettings")
    update = ContactUpdate(
        location_id=LocationId(_id(event, "locationId")),
        contact_id=ContactId(_id(event, "id")),
        at_ms=fields.moment_ms(event.get("timestamp")),
        tags=tuple(fields.text(tag, limit=_MAX_WORD) for tag in tags[:_MAX_TAGS]) if isinstance(tags, list) else None,
        dnd=dnd if isinstance(dnd, bool) else None,
        blocked_channels=fields.blocked_channels(settings) if isinstance(settings, dict) else None,
    )
    return None if update.tags is None and update.dnd is None and update.blocked_channels is None else update


def is_inbound(direction: object) -> bool:
    """Whether the contact wrote a message, by its direction; also true without one."""
    # An InboundMessage has been seen with direction outbound: answering it would be answering the bridge's own message.
    return direction is None or (isinstance(direction, str) and direction.strip().lower() in {"", "inbound"})


def _kind(event: dict[str, Any]) -> Kind | None:
    return kind_of(_word(event, "messageTypeString"), _word(event, "messageType"), fields.number(event.get("messageTypeId")))


def _message(event: dict[str, Any], kind: Kind, *, fallback_id: str) -> InboundMessage:
    subject = " ".join(fields.text(event.get("subject"), limit=_MAX_SUBJECT).split())
    return InboundMessage(
        # GHL's own SMS sample has no id. A retry repeats the same bytes, so their digest distinguishes it from a second message.
        id=MessageId(_id(event, "messageId", "emailMessageId", "webhookId") or fallback_id),
        location_id=LocationId(_id(event, "locationId")),
        contact_id=ContactId(_id(event, "contactId")),
        conversation_id=ConversationId(_id(event, "conversationId")),
        channel=kind.channel,
        message_type=told_word(kind, _word(event, "messageType")),
        message_type_string=kind.name,
        text=_text(event, kind, subject),
        date_added_ms=_date_added_ms(event),
        attachments=fields.addresses(event.get("attachments"), most=MAX_ATTACHMENTS),
        conversation_provider_id=_id(event, "conversationProviderId"),
        webhook_id=_id(event, "webhookId"),
        app_id=_id(event, "appId"),
        subject=subject,
        thread_id=_id(event, "threadId"),
        email_message_id=_id(event, "emailMessageId"),
        sender=_sender(event) if kind.channel is Channel.EMAIL else "",
    )


def _sender(event: dict[str, Any]) -> str:
    """The address in `Name <local@domain>`."""
    return parseaddr(fields.text(event.get("from"), limit=_MAX_SENDER))[1].strip().lower()


def _text(event: dict[str, Any], kind: Kind, subject: str) -> str:
    if kind.channel is not Channel.EMAIL:
        return fields.text(event.get("body"), limit=MAX_TEXT)
    # Cleaned twice, because HTML can contain a control character as &#8;.
    own = own_text(fields.text(event.get("body"), limit=_MAX_BODY), subject=subject)
    return fields.text(own, limit=MAX_TEXT)


def _date_added_ms(event: dict[str, Any]) -> int:
    # `timestamp` is when the webhook was sent, later than the message: it is used only if there is no better time.
    added = event.get("dateAdded")
    return fields.moment_ms(event.get("timestamp") if added is None else added)


def _app_change(event: dict[str, Any]) -> AppChange:
    return AppChange(
        installed=_word(event, "type") == "INSTALL",
        location_id=LocationId(_id(event, "locationId")),
        company_id=_id(event, "companyId"),
        at_ms=fields.moment_ms(event.get("timestamp")),
    )


def _ignored(event: dict[str, Any], reason: Reason) -> Ignored:
    event_type = _word(event, "type")
    return Ignored(
        reason=reason,
        location_id=LocationId(_id(event, "locationId")),
        # `id` is the contact's in contact events, the conversation's in conversation events.
        contact_id=ContactId(_id(event, "contactId", *(["id"] if event_type.startswith("Contact") else []))),
        conversation_id=ConversationId(_id(event, "conversationId", *(["id"] if event_type.startswith("Conversation") else []))),
        message_id=MessageId(_id(event, "messageId", "emailMessageId")),
        webhook_id=_id(event, "webhookId"),
        app_id=_id(event, "appId"),
        event_type=event_type,
    )


def _id(event: dict[str, Any], *names: str) -> str:
    for name in names:
        if found := fields.identifier(event.get(name)):
            return found
    return ""


def _word(event: dict[str, Any], name: str) -> str:
    return fields.text(event.get(name), limit=_MAX_WORD).strip()
