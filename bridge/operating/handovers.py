"""Handovers: the contacts that wait for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bridge.model import Role
from bridge.operating.operation import operation
from bridge.operating.reach import visible
from bridge.operating.services import AdminServices
from bridge.store.lanes.handovers import open_handovers
from bridge.times import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverShown:
    """A contact whose agent asked for a person, and to which no person has written since.

    Times are ISO 8601 in UTC; `until` is null if only `conversations resume` gives the conversation back to the agent.
    """

    location_id: str
    contact_id: str
    since: str | None
    until: str | None


@dataclass(frozen=True, slots=True)
class HandoversQuery:
    """Of which location; empty: all."""

    location_id: Annotated[str, Field(max_length=64)] = ""


@operation("conversations.handovers", "GET", "/handovers", role=Role.READ, reach=visible)
def list_(services: AdminServices, asked: HandoversQuery) -> tuple[HandoverShown, ...]:
    """List the contacts that wait for a person because the agent asked for one, the longest wait first."""
    return tuple(
        HandoverShown(
            location_id=one.lane.location_id,
            contact_id=one.lane.contact_id,
            since=iso(one.at_ms),
            until=iso(one.until_ms) if one.until_ms > 0 else None,
        )
        for one in open_handovers(services.redis)
        if asked.location_id in {"", one.lane.location_id} and services.sees(one.lane.location_id)
    )
