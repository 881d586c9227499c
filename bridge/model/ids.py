"""Ids, channels, and the lane that all of it is about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

LocationId = NewType("LocationId", str)


ContactId = NewType("ContactId", str)


ConversationId = NewType("ConversationId", str)


MessageId = NewType("MessageId", str)


UNKNOWN_LINE = "?"

# Not a message to answer, unless a location's `types` says so.
FORM_SUBMISSION = "TYPE_FORM_SUBMISSION"


class Channel(StrEnum):
    """What a location may switch on and off; GHL's spelling. UNKNOWN is a message type that isn't known here."""

    SMS = "SMS"
    WHATSAPP = "WhatsApp"
    FB = "FB"
    IG = "IG"
    LIVE_CHAT = "Live_Chat"
    CUSTOM = "Custom"
    EMAIL = "Email"
    GMB = "GMB"
    RCS = "RCS"
    TIKTOK = "TikTok"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Lane:
    """A contact in a location: one line of messages, one completion at a time."""

    location_id: LocationId
    contact_id: ContactId

    def __str__(self) -> str:
        return f"{self.location_id}:{self.contact_id}"

    @classmethod
    def parse(cls, text: str) -> Lane:
        """Undo `str(lane)`; ids hold no colon. Raises ValueError on anything else."""
        location_id, contact_id = text.split(":")
        return cls(LocationId(location_id), ContactId(contact_id))
