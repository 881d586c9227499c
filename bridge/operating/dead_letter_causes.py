"""Dead letters by their cause: how many have the same error, where, and since when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from bridge.model import LocationId, Role
from bridge.operating.causes import cause_id, general
from bridge.operating.operation import operation
from bridge.operating.reach import visible
from bridge.operating.services import AdminServices
from bridge.times import iso

if TYPE_CHECKING:
    from bridge.store.operators.dead_letters import StoredDeadLetter

MOST_LOCATIONS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseGroup:
    """A cause that open dead letters share; times are ISO 8601 in UTC.

    `error` is their error without ids and large numbers. `location_ids` are the locations with the most of them, at most five.
    """

    id: str
    error: str
    dead_letters: int
    locations: int
    location_ids: tuple[str, ...]
    first_failed_at: str | None
    last_failed_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Causes:
    """The causes of all open dead letters, the most frequent first."""

    causes: tuple[CauseGroup, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CausesQuery:
    """The causes of one location, or of all."""

    location_id: Annotated[str, Field(max_length=64)] = ""


@dataclass(slots=True)
class _Group:
    error: str
    first_ms: int
    last_ms: int = 0
    locations: Counter[str] = field(default_factory=Counter)


@operation("dead_letters.causes", "GET", "/dead-letters/causes", role=Role.READ, reach=visible)
def causes(services: AdminServices, asked: CausesQuery) -> Causes:
    """Group the open dead letters by their cause, the most frequent first."""
    of = LocationId(asked.location_id) if asked.location_id else None
    groups: dict[str, _Group] = {}
    for one in services.dead_letters.all(location_id=of):
        if services.sees(one.lane.location_id):
            _add(groups, one)
    ordered = sorted(groups.items(), key=lambda pair: (-pair[1].locations.total(), pair[0]))
    return Causes(causes=tuple(_document(id_, group) for id_, group in ordered))


def _add(groups: dict[str, _Group], one: StoredDeadLetter) -> None:
    id_ = cause_id(one.error)
    if id_ not in groups:
        groups[id_] = _Group(general(one.error), one.failed_at_ms)
    groups[id_].last_ms = one.failed_at_ms
    groups[id_].locations[one.lane.location_id] += 1


def _document(id_: str, group: _Group) -> CauseGroup:
    return CauseGroup(
        id=id_,
        error=group.error,
        dead_letters=group.locations.total(),
        locations=len(group.locations),
        location_ids=tuple(location for location, _ in group.locations.most_common(MOST_LOCATIONS)),
        first_failed_at=iso(group.first_ms),
        last_failed_at=iso(group.last_ms),
    )
