"""GHL's formats: webhook payloads and REST rows, built from messages. Pure.

The keys of each channel are those of the payloads in tests/samples; a test keeps them equal.
"""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bridge.simulator.channels import COMMENT, EMAIL

if TYPE_CHECKING:
    from bridge.simulator.world import Conversation, Message, SimulatedContact

BUSINESS_PHONE = "+15559876543"
BUSINESS_EMAIL = "hello@business.example"
_TAG = re.compile(r"<[^>]+>")


def iso(milliseconds: int) -> str:
    """A time in GHL's format: UTC, with milliseconds and a Z."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"


def event(message: Message, contact: SimulatedContact, *, app_id: str, webhook_id: str, now: int) -> dict[str, Any]:
    """The webhook of one message: the event's fields and the envelope."""
    fields = _email_event(message, contact) if message.channel is EMAIL else _text_event(message, contact)
    envelope = {"appId": app_id, "versionId": app_id, "timestamp": iso(now), "webhookId": webhook_id}
    return fields | envelope


def row(message: Message, *, with_body: bool) -> dict[str, Any]:
    """A message in the REST API. In lists, e-mails have no body."""
    shown: dict[str, Any] = {
        "id": message.id,
        "type": message.channel.type_id,
        "messageType": message.channel.type_string,
        "locationId": message.location_id,
        "contactId": message.contact_id,
        "conversationId": message.conversation_id,
        "dateAdded": iso(message.at),
        "direction": message.direction,
        "status": message.status,
        "contentType": "text/html" if message.channel is EMAIL else "text/plain",
        "attachments": [*message.attachments, *message.links()],
        "conversationProviderId": message.provider_id,
    }
    if with_body or message.channel is not EMAIL:
        shown["body"] = message.body
    if message.channel is EMAIL:
        shown["meta"] = {"email": {"messageIds": [message.email_message_id]}}
    return shown | _origin(message)


def email_row(message: Message, contact: SimulatedContact) -> dict[str, Any]:
    """An e-mail in `GET /conversations/messages/email/{id}`."""
    inbound = message.direction == "inbound"
    sender, recipient = (contact.email, BUSINESS_EMAIL) if inbound else (BUSINESS_EMAIL, contact.email)
    return {
        "id": message.email_message_id,
        "threadId": message.thread_id,
        "locationId": message.location_id,
        "contactId": message.contact_id,
        "conversationId": message.conversation_id,
        "dateAdded": iso(message.at),
        "subject": message.subject,
        "body": message.body,
        "direction": message.direction,
        "status": message.status,
        "contentType": "text/html",
        "attachments": [*message.attachments, *message.links()],
        "from": sender,
        "to": [recipient],
        "conversationProviderId": message.provider_id,
    }


def conversation_row(conversation: Conversation, contact: SimulatedContact) -> dict[str, Any]:
    """A conversation in the search's list."""
    last = conversation.messages[-1]
    name = f"Contact {contact.id[:4]}"
    return {
        "id": conversation.id,
        "contactId": contact.id,
        "locationId": conversation.location_id,
        "lastMessageBody": plain(last.body),
        "lastMessageType": last.channel.type_string,
        "lastMessageDirection": last.direction,
        "lastMessageDate": last.at,
        "type": "TYPE_PHONE",
        "unreadCount": conversation.inbound,
        "fullName": name,
        "contactName": name,
        "email": contact.email,
        "phone": contact.phone,
        "sort": [last.at],
    }


def conversation_card(conversation: Conversation) -> dict[str, Any]:
    """A conversation in `GET /conversations/{id}`."""
    return {
        "id": conversation.id,
        "contactId": conversation.contact_id,
        "locationId": conversation.location_id,
        "deleted": False,
        "inbox": True,
        "type": 1,
        "unreadCount": conversation.inbound,
        "starred": False,
    }


def contact_card(contact: SimulatedContact) -> dict[str, Any]:
    """A contact in `GET /contacts/{id}`."""
    shown: dict[str, Any] = {
        "id": contact.id,
        "locationId": contact.location_id,
        "email": contact.email,
        "phone": contact.phone,
        "timezone": "UTC",
        "tags": contact.tags,
        "dnd": contact.dnd,
        "dndSettings": contact.dnd_settings,
        "type": "lead",
        "country": "US",
        "customFields": [],
        **({"assignedTo": contact.assigned_to} if contact.assigned_to else {}),
    }
    return shown


def receipt(message: Message) -> dict[str, Any]:
    """The answer to a send: queued, not yet delivered."""
    shown: dict[str, Any] = {
        "conversationId": message.conversation_id,
        "messageId": message.id,
        "messageIds": [message.id],
        "msg": "Message queued successfully.",
        "status": "pending",
    }
    if message.channel is EMAIL:
        shown["emailMessageId"] = message.email_message_id
    return shown


def plain(body: str) -> str:
    """A body without its HTML."""
    return html.unescape(_TAG.sub("", body)).strip()


def _text_event(message: Message, contact: SimulatedContact) -> dict[str, Any]:
    channel = message.channel
    shown: dict[str, Any] = {
        "type": _event_name(message),
        "locationId": message.location_id,
        "attachments": [*message.attachments, *message.links()],
        "body": message.body,
        "contactId": message.contact_id,
        "contentType": "text/plain",
        "conversationId": message.conversation_id,
        "dateAdded": iso(message.at),
        "direction": message.direction,
        "messageType": channel.name,
        "status": message.status,
        "conversationProviderId": message.provider_id,
        "messageTypeId": channel.type_id,
        "messageTypeString": channel.type_string,
        "messageId": message.id,
    }
    if channel.widget:
        shown["chatWidgetId"] = f"{message.provider_id}wdgt"
    if channel is COMMENT:
        shown["mentions"] = message.mentions
    return shown | _ends(message, contact) | _origin(message)


def _ends(message: Message, contact: SimulatedContact) -> dict[str, Any]:
    if message.channel.name == "Custom":
        # Seen live: for custom providers these are empty objects instead of numbers.
        return {"from": {}, "to": {}}
    if not message.channel.numbers:
        return {}
    ends = (contact.phone, BUSINESS_PHONE) if message.direction == "inbound" else (BUSINESS_PHONE, contact.phone)
    return dict(zip(("from", "to"), ends, strict=True))


def _email_event(message: Message, contact: SimulatedContact) -> dict[str, Any]:
    inbound = message.direction == "inbound"
    sender, recipient = (contact.email, BUSINESS_EMAIL) if inbound else (BUSINESS_EMAIL, contact.email)
    shown: dict[str, Any] = {
        "type": _event_name(message),
        "locationId": message.location_id,
        "body": message.body,
        "contactId": message.contact_id,
        "conversationId": message.conversation_id,
        "dateAdded": iso(message.at),
        "direction": message.direction,
        "messageType": "Email",
        "emailMessageId": message.email_message_id,
        "from": f"Simulated Sender <{sender}>",
        "threadId": message.thread_id,
        "subject": message.subject,
        "to": recipient,
        "ccList": [],
        "bccList": [],
        "conversationProviderId": message.provider_id,
    }
    if not inbound:
        shown["plainText"] = plain(message.body)
    return shown | _origin(message)


def _event_name(message: Message) -> str:
    return "InboundMessage" if message.direction == "inbound" else "OutboundMessage"


def _origin(message: Message) -> dict[str, Any]:
    origin = {"source": message.source, "userId": message.user_id}
    return {key: value for key, value in origin.items() if value}
