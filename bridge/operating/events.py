"""The newest events of all conversations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from bridge.model import Role
from bridge.operating.operation import operation
from bridge.operating.reach import visible
from bridge.operating.services import AdminServices
from bridge.times import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class EventShown:
    """An event of a timeline. `details` are its other fields, never message text; `at` is ISO 8601, UTC."""

    id: str
    at: str | None
    location_id: str
    contact_id: str
    step: str
    details: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """The newest events, newest first; several hundred are stored."""

    events: tuple[EventShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsQuery:
    """How many of the newest events."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100


@operation("events", "GET", "/events", role=Role.READ, reach=visible)
def events(services: AdminServices, asked: EventsQuery) -> Events:
    """List the newest events of all conversations."""
    return Events(
        events=tuple(
            EventShown(
                id=each.id,
                at=iso(each.at_ms),
                location_id=each.lane.location_id,
                contact_id=each.lane.contact_id,
                step=each.step,
                details=each.details,
            )
            for each in services.live.newest(asked.limit)
            if services.sees(each.lane.location_id)
        )
    )
