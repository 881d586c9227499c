"""Inbound messages as they are kept: the JSON of the dataclass, and nothing that only one process could read."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import orjson

from bridge.model import Channel, Completion, InboundMessage


def encode(message: InboundMessage) -> bytes:
    """The message as JSON."""
    return orjson.dumps(message)


def decode(text: str) -> InboundMessage:
    """Undo `encode`."""
    stored = orjson.loads(text)
    stored["channel"] = Channel(stored["channel"])
    stored["attachments"] = tuple(stored["attachments"])
    return InboundMessage(**_known(stored, InboundMessage))


def encode_answer(completion: Completion) -> str:
    """A provider's answer as JSON."""
    return orjson.dumps(asdict(completion)).decode()


def decode_answer(text: str) -> Completion | None:
    """Undo `encode_answer`; nothing was saved: None."""
    if not text:
        return None
    known = _known(orjson.loads(text), Completion)
    return Completion(**{**known, "waited_out": tuple(known.get("waited_out", ()))})


def _known(stored: dict[str, Any], kind: type[InboundMessage | Completion]) -> dict[str, Any]:
    """While one version takes the place of another, what the newer one has added is not for the older one."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in stored.items() if name in names}
