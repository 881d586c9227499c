"""What a service said when it failed, for those who ask for it: as it is kept, and who looked is noted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bridge.errors import Closed, NotKnown
from bridge.operating.operation import operation
from bridge.operating.services import AdminServices
from bridge.times import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSaid:
    """The start of what a service answered with its newest fault, without secrets, people and what it was asked.

    `at` is ISO 8601 in UTC; `text` at most 1 KiB.
    """

    id: str
    provider: str
    at: str | None
    text: str


@dataclass(frozen=True, slots=True)
class OfTurn:
    """Of which turn: the `excerpt_id` of an event or of a dead letter."""

    id: Annotated[str, Field(min_length=1, max_length=100)]


@operation("excerpts.text", "POST", "/excerpts/{id}/text", about=lambda asked: (asked.id,))
def text(services: AdminServices, asked: OfTurn) -> ServiceSaid:
    """Read a service's error text, or the texts that its answer rests on. Off with BRIDGE_CONSOLE_SHOW_TEXT=0."""
    if not services.settings.console_show_text:
        raise Closed("BRIDGE_CONSOLE_SHOW_TEXT=0 on this server: what services say is not shown")
    kept = services.excerpts.get(asked.id)
    if kept is None:
        raise NotKnown(f"nothing that a service said is kept under {asked.id}: it said nothing, or that is forgotten by now")
    return ServiceSaid(id=asked.id, provider=kept.provider, at=iso(kept.at_ms), text=kept.text)
