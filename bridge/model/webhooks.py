"""The contents of webhooks, and the answers to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.model.ids import UNKNOWN_LINE, ContactId, ConversationId, Lane, LocationId, MessageId

if TYPE_CHECKING:
    from bridge.model.ids import Channel
    from bridge.model.outcomes import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """A message of a contact, from any channel and protocol.

    `message_type` is the webhook's word for the channel (sent to providers), `message_type_string` GHL's more detailed one
    (`TYPE_CUSTOM_SMS`; the reply's type depends on it). `sender` is an e-mail's sender address in lower case, only for guards; it
    is never shown. Absent texts and ids are empty strings. `provisional`: its webhook had no id, so it has a generated one until
    GHL's is found. `transcripts` are those of the attachments, in the same order; empty if an attachment was not read.
    """

    id: MessageId
    location_id: LocationId
    contact_id: ContactId
    conversation_id: ConversationId
    channel: Channel
    message_type: str
    message_type_string: str
    text: str
    date_added_ms: int
    attachments: tuple[str, ...] = ()
    conversation_provider_id: str = ""
    webhook_id: str = ""
    app_id: str = ""
    subject: str = ""
    thread_id: str = ""
    email_message_id: str = ""
    sender: str = field(default="", repr=False)
    provisional: bool = False
    transcripts: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The contact's text and transcripts, one per line."""
        return "\n".join(part for part in (self.text.strip(), *self.transcripts) if part)

    @property
    def lane(self) -> Lane:
        """The lane of this message."""
        return Lane(self.location_id, self.contact_id)

    @property
    def line(self) -> str:
        """Channel and conversation provider of the message; a turn has only one. For a provisional message both are uncertain."""
        if self.provisional:
            return UNKNOWN_LINE
        return f"{self.message_type_string or self.channel}|{self.conversation_provider_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundMessage:
    """An outbound message of a conversation, from the bridge, a person or an automation. Absent texts and ids are empty.

    `type` is GHL's `messageTypeString`, else its `messageType`, `channel` the matching `Channel`, empty if there is none;
    `date_added_ms` is 0 if unreadable. `status` is GHL's status of the message; `call_seconds` is the duration of an answered
    call, 0 for a missed call and for other messages.
    """

    id: MessageId
    location_id: LocationId
    contact_id: ContactId
    conversation_id: ConversationId
    type: str
    text: str
    date_added_ms: int
    user_id: str = ""
    source: str = ""
    status: str = ""
    channel: str = ""
    call_seconds: float = 0.0

    @property
    def lane(self) -> Lane:
        """The lane of its recipient."""
        return Lane(self.location_id, self.contact_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactUpdate:
    """A contact's data from an event; None for fields that the event lacks. `at_ms` is the event's time, 0 if it has none."""

    location_id: LocationId
    contact_id: ContactId
    at_ms: int
    tags: tuple[str, ...] | None = None
    dnd: bool | None = None
    blocked_channels: tuple[str, ...] | None = None

    @property
    def lane(self) -> Lane:
        """The contact's lane."""
        return Lane(self.location_id, self.contact_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppChange:
    """The app was installed or uninstalled in a location or, without `location_id`, in an agency with all its locations.

    `at_ms` is the event's time, 0 if it has none.
    """

    installed: bool
    location_id: LocationId
    company_id: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """An authentic event that needs no answer, with the ids that could be read; absent ones are empty."""

    reason: Reason
    location_id: LocationId = LocationId("")
    contact_id: ContactId = ContactId("")
    conversation_id: ConversationId = ConversationId("")
    message_id: MessageId = MessageId("")
    webhook_id: str = ""
    app_id: str = ""
    event_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAnswer:
    """The answer to a webhook."""

    status: str
    reason: str = ""
    message_id: str = ""
    conversation_id: str = ""
