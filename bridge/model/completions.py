"""What a provider is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.model.contacts import Contact, PastMessage
    from bridge.model.ids import ContactId, ConversationId, LocationId, MessageId
    from bridge.model.media import Attachment
    from bridge.model.outcomes import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A provider's answer. `text` is empty when the provider chose silence; then `why_silent` says why, and only then.

    `claimed_message_id` is the GHL message id under which the provider says that it delivered the reply itself; `says_sent`: it
    says so without an id. `session_id` is what the provider calls the conversation that it remembers, `provider` who answered.
    `waited_out` are the faults of the quick tries before this one. `notes` say what reading has done to the answer ("removed:
    thoughts"), for the timeline: names and ids, never words of the answer. `as_said` is the text as the service wrote it, if
    reading has changed it and the service may have delivered it so. `evidence` is what the service tells about how it came to the
    answer (`completion.evidence.NAMES`), for the timeline: at most 2 KiB, no texts; two answers are the same without it.
    `knowledge` are the words of what it found for the answer: kept only where the location says so.
    `handover`: it asks for a person, with or without a text; `note` is what it tells that person, and no text for the contact.
    """

    text: str
    why_silent: Reason | None = None
    claimed_message_id: str = ""
    says_sent: bool = False
    trace_id: str = ""
    session_id: str = ""
    provider: str = ""
    waited_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    as_said: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict, compare=False)
    knowledge: str = field(default="", compare=False, repr=False)
    handover: bool = False
    note: str = ""

    @property
    def claims_delivery(self) -> bool:
        """Whether the provider says that it delivered the reply itself."""
        return self.says_sent or bool(self.claimed_message_id)

    @property
    def delivered_as(self) -> str:
        """The words by which a delivery of the provider's own is known."""
        return self.as_said or self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a provider is asked: all waiting texts of a turn as one `input`, and earlier turns as `history`, oldest first.

    `session_id` is what the provider called the conversation last time, `contact` who writes, if that was looked up;
    `attachments` are files that a service may download by itself, `images` pictures as `data:` URLs.
    """

    location_id: LocationId
    contact_id: ContactId
    conversation_id: ConversationId
    last_message_id: MessageId
    channel: str
    input: str
    history: tuple[PastMessage, ...] = ()
    session_id: str = ""
    contact: Contact | None = None
    attachments: tuple[Attachment, ...] = ()
    images: tuple[str, ...] = field(default=(), repr=False)
