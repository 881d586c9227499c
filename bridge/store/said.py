"""A conversation's words as they are kept: for providers that have no memory of their own, and to notice loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from bridge.model import MessageId, Said
from bridge.store.connection import rows

if TYPE_CHECKING:
    from bridge.model import InboundMessage

# Longer texts are cut in the record, never in a reply.
MOST_CHARACTERS = 4_000


def said(id_: MessageId, role: str, text: str) -> str:
    """One message as JSON, the same for the same message."""
    return orjson.dumps({"id": id_, "role": role, "content": text.strip()[:MOST_CHARACTERS]}).decode()


def said_by_contact(message: InboundMessage) -> str:
    """An inbound message as JSON."""
    return said(message.id, "user", message.text)


def read_words(flat: list[str]) -> tuple[Said, ...]:
    """What a script answers of what was said: message, when, message, when."""
    return tuple(read_said(text, float(at)) for text, at in rows(flat).items())


def read_said(text: str, at_ms: float) -> Said:
    """Undo `said`."""
    fields = orjson.loads(text)
    return Said(role=fields["role"], content=fields["content"], id=MessageId(fields["id"]), at_ms=int(at_ms))
