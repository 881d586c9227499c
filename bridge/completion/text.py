"""Text to and from a provider: what a contact or a provider wrote is data, never instructions. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from bridge.provider_tables import CONTACT_FIELD
from bridge.wire.answers import as_text

if TYPE_CHECKING:
    from bridge.model import Contact, Question

# Ten pages: more is a service that has lost its mind.
MOST_CHARACTERS = 20_000
LONGEST_FIELD = 80

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_IN_NAMES = " .,'@+-"


def clean(text: str) -> str:
    """The text without control characters but line breaks and tabs, and without white space around it."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def bounded(text: str) -> str:
    """The text, no longer than a reply may be."""
    return text[:MOST_CHARACTERS].rstrip()


def turns_of(question: Question) -> list[dict[str, str]]:
    """The earlier turns in the form that chat services share."""
    return [{"role": said.role, "content": said.content} for said in question.history]


def name_of(question: Question) -> str:
    """A name for the conversation that stays the same: `ghl:{locationId}:{conversationId}`."""
    return f"ghl:{question.location_id}:{question.conversation_id or question.contact_id}"


def fill(instructions: str, contact: Contact | None) -> str:
    """Put a contact's data in the place of `{contact_name}` and its like; nothing where it is not known.

    A contact chooses its own name: it loses everything but letters, digits and what names are written with, line breaks above
    all, and what is over 80 characters. Only fields of the template are replaced, never what a field brought along.
    """
    return CONTACT_FIELD.sub(lambda found: _tame(as_text(getattr(contact, found[1], ""))), instructions)


def _tame(value: str) -> str:
    kept = (sign if sign in _IN_NAMES or unicodedata.category(sign)[0] in "LMN" else " " for sign in value)
    return " ".join("".join(kept).split())[:LONGEST_FIELD].rstrip()
