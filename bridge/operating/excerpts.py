"""Excerpts: the stored error text of a service, shown on request; the audit log records each request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bridge.errors import Closed, NotKnown
from bridge.model import Role
from bridge.operating.operation import operation
from bridge.operating.reach import dead_letter
from bridge.operating.services import AdminServices
from bridge.times import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSaid:
    """The beginning of a service's answer to its newest failure, without secrets, personal data and the question's texts.

    `at` is ISO 8601 in UTC; `text` has at most 1 KiB.
    """

    id: str
    provider: str
    at: str | None
    text: str


@dataclass(frozen=True, slots=True)
class OfTurn:
    """The `excerpt_id` of an event or a dead letter, which is the id of a turn."""

    id: Annotated[str, Field(min_length=1, max_length=100)]


@operation("excerpts.text", "POST", "/excerpts/{id}/text", about=lambda asked: (asked.id,), role=Role.READ, reach=dead_letter)
def text(services: AdminServices, asked: OfTurn) -> ServiceSaid:
    """Show a service's error text, or the texts on which its answer is based. Disabled by BRIDGE_CONSOLE_SHOW_TEXT=0."""
    if not services.settings.console_show_text:
        raise Closed("BRIDGE_CONSOLE_SHOW_TEXT=0 on this server: error texts of services are not shown")
    excerpt = services.excerpts.get(asked.id)
    if excerpt is None:
        raise NotKnown(f"no error text is stored for {asked.id}: the service sent none, or it has expired")
    return ServiceSaid(id=asked.id, provider=excerpt.provider, at=iso(excerpt.at_ms), text=excerpt.text)
