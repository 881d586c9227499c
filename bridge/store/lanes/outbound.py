"""Outbound messages, from events or from GHL's list, in the format of the scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bridge.policy.authors import Author, author
from bridge.policy.delivery import noted_as
from bridge.policy.normalise import digest
from bridge.store.lanes.transcripts import transcript_entry

if TYPE_CHECKING:
    from bridge.model import OutboundMessage

# Longer texts are cut, because normalising takes about 60 ms per megabyte, too long for the event loop.
ON_LOOP_CHARACTERS = 64 * 1024


def outbound_fields(message: OutboundMessage) -> dict[str, Any]:
    """One outbound message: its possible author, a digest of its text, and the text to store if a person wrote it."""
    by = author(type_=message.type, source=message.source, call_seconds=message.call_seconds)
    event = {
        "step": "heard",
        "message_id": message.id,
        "by": by,
        "type": message.type,
        "source": message.source,
        "date_added_ms": message.date_added_ms,
    }
    return {
        "id": message.id,
        "at": message.date_added_ms,
        "by": by,
        "user": bool(message.user_id),
        "digest": digest(message.text),
        "conversation_id": message.conversation_id,
        "event": orjson.dumps(event).decode(),
        "said": transcript_entry(message.id, "assistant", message.text) if message.text.strip() else "",
        # A comment does not reach the contact, whatever its status is.
        "delivery": "" if by is Author.NOBODY else noted_as(message.status),
        "status": message.status,
        "channel": message.channel,
    }
