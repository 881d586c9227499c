"""The overview of one location: what needs attention there, what waits, and the outcomes of its messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from bridge.errors import NotKnown, OperatorMustFix
from bridge.locations import Location
from bridge.model import Lane, LocationId, Role, Status
from bridge.operating.diagnosis import diagnose, shorten
from bridge.operating.operation import operation
from bridge.operating.reach import one_location
from bridge.operating.services import AdminServices
from bridge.operating.trouble import Trouble
from bridge.store.figures.deliveries import undelivered
from bridge.store.figures.location_gauges import of_location
from bridge.store.limits.circuits import GHL_CIRCUITS
from bridge.store.operators.symptoms import Symptoms, look

DAY_MS = 24 * 3600 * 1000
OVER = (Status.REPLIED, Status.DELIVERED_BY_PROVIDER, Status.NO_REPLY, Status.SKIPPED, Status.DEAD)


@dataclass(frozen=True, slots=True)
class LocationOverviewQuery:
    """The id of a location."""

    location_id: Annotated[str, Field(min_length=1, max_length=64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationOverview:
    """A location's current state in conversations, and the number of its messages by their outcome, ever.

    `waiting` and `answering` make up what there is to do; `retrying` are those of both that failed before, `held` wait for the
    end of its hold. `undelivered` are replies of the last 24 hours that did not reach their contacts, `handovers` contacts that
    wait for a person.
    """

    location_id: str
    troubles: tuple[Trouble, ...]
    waiting: int
    answering: int
    retrying: int
    held: int
    oldest_overdue_seconds: float
    dead_letters: int
    undelivered: int
    handovers: int
    messages: dict[str, int]


@operation("locations.overview", "GET", "/locations/{location_id}/overview", role=Role.READ, reach=one_location)
def overview(services: AdminServices, asked: LocationOverviewQuery) -> LocationOverview:
    """Show what needs attention in a location, what waits there, and the outcomes of its messages."""
    record = services.locations.get(LocationId(asked.location_id))
    if record is None:
        raise NotKnown(f"location {asked.location_id} is not known; `ghl-bridge locations list` shows the known ones")
    symptoms = _own(services, record.location, look(services.redis))
    now, id_ = symptoms.gauges, record.location.location_id
    lost = undelivered(services.redis, since_ms=symptoms.now_ms - DAY_MS)
    counts = services.counts.of([id_])[id_]
    return LocationOverview(
        location_id=id_,
        troubles=shorten(diagnose(symptoms)),
        waiting=max(0, now.lanes - now.held - now.in_flight),
        answering=now.in_flight,
        retrying=now.retrying,
        held=now.held,
        oldest_overdue_seconds=now.oldest_overdue_seconds,
        dead_letters=now.dead_letters,
        undelivered=sum(one.lane.location_id == id_ for one in lost),
        handovers=len(symptoms.handovers),
        messages={str(status): counts.get(status, 0) for status in OVER},
    )


def _own(services: AdminServices, location: Location, symptoms: Symptoms) -> Symptoms:
    """The symptoms of this location; of the installation only that no worker is alive, and that GHL is down."""
    id_ = location.location_id
    dead_letters = sum(1 for _ in services.dead_letters.all(location_id=id_))
    circuits = {*GHL_CIRCUITS, *_circuits(services, location)}
    return Symptoms(
        now_ms=symptoms.now_ms,
        gauges=of_location(services.redis, symptoms.gauges, id_, dead_letters=dead_letters),
        holds={one: hold for one, hold in symptoms.holds.items() if one == id_},
        down={circuit: replace(down, location_id=id_) for circuit, down in symptoms.down.items() if circuit in circuits},
        missed=tuple(one for one in symptoms.missed if one == id_),
        capped=_of(id_, symptoms.capped),
        untyped=_of(id_, symptoms.untyped),
        spoken_stops=_of(id_, symptoms.spoken_stops),
        other_bot=_of(id_, symptoms.other_bot),
        handovers=tuple(one for one in symptoms.handovers if one.lane.location_id == id_),
        failing={one: failing for one, failing in symptoms.failing.items() if one == id_},
    )


def _of(location_id: str, lanes: Sequence[str]) -> tuple[str, ...]:
    return tuple(lane for lane in lanes if Lane.parse(lane).location_id == location_id)


def _circuits(services: AdminServices, location: Location) -> set[str]:
    """The circuits of its providers; a provider without its settings has none."""
    found = set()
    for name in (location.provider, location.fallback_provider):
        try:
            found |= {services.providers.circuit(location, name)} if name else set()
        except OperatorMustFix:
            continue
    return found
