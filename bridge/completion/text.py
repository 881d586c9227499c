"""Text to and from a provider: texts of contacts and providers are data, never instructions. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from bridge.provider_tables import CONTACT_FIELD
from bridge.wire.answers import as_text

if TYPE_CHECKING:
    from bridge.model import Contact, Question

# Ten pages: a longer reply is certainly an error of the service.
MOST_CHARACTERS = 20_000
LONGEST_FIELD = 80

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_IN_NAMES = " .,'@+-"


def clean(text: str) -> str:
    """The text without control characters (except line breaks and tabs), and without surrounding white space."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def bounded(text: str) -> str:
    """The text, cut to the maximum length of a reply."""
    return text[:MOST_CHARACTERS].rstrip()


def turns_of(question: Question) -> list[dict[str, str]]:
    """The earlier messages in the usual format of chat services."""
    return [{"role": earlier.role, "content": earlier.content} for earlier in question.history]


def name_of(question: Question) -> str:
    """A stable name for the conversation: `ghl:{locationId}:{conversationId}`."""
    return f"ghl:{question.location_id}:{question.conversation_id or question.contact_id}"


def fill(instructions: str, contact: Contact | None) -> str:
    """Replace `{contact_name}` and similar fields by the contact's data; by nothing if it is unknown.

    Contacts choose their own names, so only letters, digits and usual name characters are kept (no line breaks), at most 80
    characters. Only fields of the template are replaced, not those within inserted data.
    """
    return CONTACT_FIELD.sub(lambda found: _tame(as_text(getattr(contact, found[1], ""))), instructions)


def _tame(value: str) -> str:
    characters = (sign if sign in _IN_NAMES or unicodedata.category(sign)[0] in "LMN" else " " for sign in value)
    return " ".join("".join(characters).split())[:LONGEST_FIELD].rstrip()
