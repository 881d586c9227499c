"""What webhooks contain, and what their senders are answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.model.ids import UNKNOWN_LINE, ContactId, ConversationId, Lane, LocationId, MessageId

if TYPE_CHECKING:
    from bridge.model.ids import Channel
    from bridge.model.outcomes import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """One message of a contact, whatever channel and protocol brought it.

    `message_type` is the webhook's word for the channel (what a provider is told), `message_type_string` GHL's finer one
    (`TYPE_CUSTOM_SMS`; what the reply's type depends on). `sender` is the address that an e-mail came from, in lower case, for
    guards alone; it is shown nowhere. Absent texts and ids are empty strings. `provisional`: its webhook
    told no id, so that it has one of ours until GHL's own is found.
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

    @property
    def lane(self) -> Lane:
        """The lane this message stands in."""
        return Lane(self.location_id, self.contact_id)

    @property
    def line(self) -> str:
        """By which channel and conversation provider it came; a turn has one. Of a provisional message neither is certain."""
        if self.provisional:
            return UNKNOWN_LINE
        return f"{self.message_type_string or self.channel}|{self.conversation_provider_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundMessage:
    """A message that left a conversation, whoever wrote it: ourselves, a person, an automation. Absent texts and ids are empty.

    `type` is GHL's `messageTypeString`, else its `messageType`; `date_added_ms` is 0 if unreadable; `call_seconds` is how long a
    call was talked, 0 for one that was missed and for all else.
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
    call_seconds: float = 0.0

    @property
    def lane(self) -> Lane:
        """The lane of the contact that it was written to."""
        return Lane(self.location_id, self.contact_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactUpdate:
    """A contact as an event tells it; what the event doesn't tell is None. `at_ms` is the event's own time, 0 if it has none."""

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
    """The app was installed or taken away: in a location, or, without `location_id`, in an agency with all its locations.

    `at_ms` is the event's own time, 0 if it has none.
    """

    installed: bool
    location_id: LocationId
    company_id: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """An authentic event with nothing to answer. What of its ids could be read comes along; absent ones are empty."""

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
    """What a webhook's sender is told."""

    status: str
    reason: str = ""
    message_id: str = ""
    conversation_id: str = ""
