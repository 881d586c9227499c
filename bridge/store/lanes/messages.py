"""Inbound messages as stored: the dataclass as JSON, readable by every process."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import orjson

from bridge.model import NO_REPLY_REASONS, Channel, Completion, InboundMessage, Reason

# The reason of `no_reply` in older versions.
BEFORE_REASONS = {"tool calls without a text": Reason.TOOL_CALL, "content_filter": Reason.FILTERED}
_OF_MESSAGE = tuple(field.name for field in fields(InboundMessage))
_EMPTY: dict[str, Any] = dict.fromkeys(
    ("location_id", "contact_id", "conversation_id", "message_type", "message_type_string", "text"), ""
) | {"date_added_ms": 0}


def encode(message: InboundMessage) -> bytes:
    """The message as JSON, without what is empty."""
    return orjson.dumps({name: value for name in _OF_MESSAGE if (value := getattr(message, name))})


def decode(text: str) -> InboundMessage:
    """Undo `encode`."""
    stored = orjson.loads(text)
    stored["channel"] = Channel(stored["channel"])
    for listed in ("attachments", "transcripts"):
        stored[listed] = tuple(stored.get(listed, ()))
    return InboundMessage(**{**_EMPTY, **_known(stored, InboundMessage)})


def encode_answer(completion: Completion) -> str:
    """A provider's answer as JSON, without what is empty; `why_silent` is a text. The evidence is stored in the timeline."""
    fields = ((name, getattr(completion, name)) for name in completion.__slots__ if name not in {"evidence", "knowledge"})
    values = {name: value for name, value in fields if value}
    return orjson.dumps({**values, "text": completion.text, "why_silent": completion.why_silent or ""}).decode()


def decode_answer(text: str) -> Completion | None:
    """Undo `encode_answer`; None if nothing was saved."""
    if not text:
        return None
    known = _known(orjson.loads(text), Completion)
    lists = {name: tuple(known.get(name, ())) for name in ("waited_out", "notes")}
    return Completion(**{**known, **lists, "why_silent": _why_silent(known)})


def _why_silent(known: dict[str, Any]) -> Reason | None:
    """The reason of `no_reply`. Older versions stored other texts, and newer versions may have more reasons."""
    if known.get("text"):
        return None
    why = known.get("why_silent", "")
    reason = BEFORE_REASONS.get(why, why)
    return Reason(reason) if reason in NO_REPLY_REASONS else Reason.EMPTY


def _known(stored: dict[str, Any], kind: type[InboundMessage | Completion]) -> dict[str, Any]:
    """The fields that this version knows; during an upgrade, a newer version may have stored more."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in stored.items() if name in names}
