"""Ids, channels and lanes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

LocationId = NewType("LocationId", str)


ContactId = NewType("ContactId", str)


ConversationId = NewType("ConversationId", str)


MessageId = NewType("MessageId", str)


UNKNOWN_LINE = "?"

# Not answered, unless a location's `types` maps it.
FORM_SUBMISSION = "TYPE_FORM_SUBMISSION"


class Channel(StrEnum):
    """A channel that a location may answer, in GHL's spelling. UNKNOWN is an unknown message type."""

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
    """A contact in a location: its messages are answered in order, with one completion at a time."""

    location_id: LocationId
    contact_id: ContactId

    def __str__(self) -> str:
        return f"{self.location_id}:{self.contact_id}"

    @classmethod
    def parse(cls, text: str) -> Lane:
        """Parse `str(lane)`; ids contain no colon. Raises ValueError for other texts."""
        location_id, contact_id = text.split(":")
        return cls(LocationId(location_id), ContactId(contact_id))
