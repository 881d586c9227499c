"""Inbound messages as they are kept: the JSON of the dataclass, and nothing that only one process could read."""

from __future__ import annotations

from dataclasses import asdict

import orjson

from bridge.model import Channel, Completion, InboundMessage


def encode(message: InboundMessage) -> bytes:
    """The message as JSON."""
    return orjson.dumps(message)


def decode(text: str) -> InboundMessage:
    """Undo `encode`."""
    fields = orjson.loads(text)
    fields["channel"] = Channel(fields["channel"])
    fields["attachments"] = tuple(fields["attachments"])
    return InboundMessage(**fields)


def encode_answer(completion: Completion) -> str:
    """A provider's answer as JSON."""
    return orjson.dumps(asdict(completion)).decode()


def decode_answer(text: str) -> Completion | None:
    """Undo `encode_answer`; nothing was saved: None."""
    return Completion(**orjson.loads(text)) if text else None
