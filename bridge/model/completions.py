"""Questions to providers, and their answers."""

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
    """A provider's answer. If the provider gave no reply, `text` is empty and `why_silent` has the reason, and only then.

    `claimed_message_id` is the GHL id of a message that the provider claims to have delivered itself; `says_sent`: it claims so
    without an id. `session_id` is the provider's id of the conversation, `provider` the name of the provider. `waited_out` are
    the errors of quick tries before this one. `notes` describe changes to the answer ("removed: thoughts") for the timeline, with
    names and ids but no text of the answer. `as_said` is the service's original text, if it was changed and the service may have
    delivered it. `evidence` is the service's data about the answer (`completion.evidence.NAMES`) for the timeline: at most 2 KiB,
    no texts; it is ignored in comparisons. `knowledge` holds the texts that the service found for the answer: stored only if the
    location's settings say so. `handover`: the service asks for a person, with or without a text; `note` is its message to that
    person.
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
        """Whether the provider claims that it delivered the reply itself."""
        return self.says_sent or bool(self.claimed_message_id)

    @property
    def delivered_as(self) -> str:
        """The text by which the provider's own delivery is recognised."""
        return self.as_said or self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question to a provider: all waiting texts of a turn as `input`, and earlier messages as `history`, oldest first.

    `session_id` is the provider's id of the conversation from its last answer, `contact` the contact, if it was looked up;
    `attachments` are files that a service may download, `images` pictures as `data:` URLs.
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
