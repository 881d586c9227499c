"""Reports: the bridge's work for a location, or for all of them, in a day, a week or a month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from bridge.errors import NotKnown, WrongInput
from bridge.model import LocationId, Role
from bridge.operating.operation import operation
from bridge.operating.reach import visible
from bridge.operating.report_figures import (
    DayFigures,
    Figures,
    LocationFigures,
    Period,
    busiest,
    cost_of,
    days_of,
    figures_of,
    hours_of_day,
    sum_of,
    total_cost,
)
from bridge.operating.report_folding import fold_reported
from bridge.operating.services import AdminServices
from bridge.store.operators.conversation_lists import known_locations
from bridge.store.redis.connection import now_ms
from bridge.time_zones import zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.policy.report_entries import Counts
    from bridge.store.locations.records import LocationRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcomes of messages from `first_day` to `last_day`, both included.

    The report is of one location, or of all (`location_id` is empty): then `locations` has the figures of each that had any. Days
    are those of each location's time zone; `time_zone` is the location's, else BRIDGE_TIMEZONE, which decides what today is.
    `hours` are messages received in each hour of the day, from midnight on, `busiest_hours` those with the most, at most three.
    """

    location_id: str
    name: str
    period: Period
    first_day: str
    last_day: str
    time_zone: str
    currency: str
    total: Figures
    hours: tuple[int, ...]
    busiest_hours: tuple[int, ...]
    days: tuple[DayFigures, ...]
    locations: tuple[LocationFigures, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuery:
    """The period that contains `day`, like 2026-11-30; empty: today. Of one location, or all. Days are stored for 400 days."""

    location_id: Annotated[str, Field(max_length=64)] = ""
    period: Period = "week"
    day: Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = ""


@operation("report", "GET", "/report", role=Role.READ, reach=visible)
def report(services: AdminServices, asked: ReportQuery) -> Report:
    """Report messages, answers, times to reply, tokens and cost of a location or of all, for a day, a week or a month."""
    found = {each.location.id: each for each in services.locations.all()}
    ids = _ids(services, asked.location_id)
    time_zone = found[ids[0]].location.timezone if asked.location_id and ids[0] in found else services.settings.time_zone
    days = [str(day) for day in days_of(asked.period, _day(services, asked.day, time_zone))]
    fold_reported(services.daily_counts, services.locations)
    by_location = services.daily_counts.read(ids, days)
    total = sum_of(counts for row in by_location.values() for counts in row.values())
    hours = hours_of_day(total)
    locations = tuple(_of_location(id_, row, found) for id_, row in by_location.items() if row)
    return Report(
        location_id=asked.location_id,
        name=found[ids[0]].location.name if asked.location_id and ids[0] in found else "",
        period=asked.period,
        first_day=days[0],
        last_day=days[-1],
        time_zone=time_zone,
        currency=services.settings.currency,
        total=Figures(**figures_of(total, total_cost(one.cost for one in locations))),
        hours=hours,
        busiest_hours=busiest(hours),
        days=tuple(_of_day(day, by_location, found) for day in days),
        locations=() if asked.location_id else tuple(sorted(locations, key=lambda one: (-one.received, one.location_id))),
    )


def _ids(services: AdminServices, location_id: str) -> tuple[LocationId, ...]:
    """The locations of the report. Raises NotKnown for an unknown location."""
    known = tuple(filter(services.sees, known_locations(services.redis)))
    if location_id and location_id not in known:
        raise NotKnown(f"location {location_id} is not known; `ghl-bridge locations list` shows all")
    return (LocationId(location_id),) if location_id else known


def _day(services: AdminServices, asked: str, time_zone: str) -> date:
    """The requested day. Raises WrongInput for a date that does not exist."""
    if not asked:
        return datetime.fromtimestamp(now_ms(services.redis) / 1000, UTC).astimezone(zone(time_zone)).date()
    try:
        return date.fromisoformat(asked)
    except ValueError:
        raise WrongInput(f"{asked} is not a day: write it like 2026-11-30") from None


def _of_location(id_: LocationId, row: Mapping[str, Counts], found: Mapping[str, LocationRecord]) -> LocationFigures:
    counts = sum_of(row.values())
    return LocationFigures(location_id=id_, name=_name(id_, found), **figures_of(counts, _cost(id_, counts, found)))


def _of_day(day: str, rows: Mapping[LocationId, Mapping[str, Counts]], found: Mapping[str, LocationRecord]) -> DayFigures:
    counts = {id_: row[day] for id_, row in rows.items() if day in row}
    cost = total_cost(_cost(id_, each, found) for id_, each in counts.items())
    return DayFigures(day=day, **figures_of(sum_of(counts.values()), cost))


def _name(id_: LocationId, found: Mapping[str, LocationRecord]) -> str:
    return found[id_].location.name if id_ in found else ""


def _cost(id_: LocationId, counts: Counts, found: Mapping[str, LocationRecord]) -> float | None:
    return cost_of(counts, found[id_].location.prices if id_ in found else {})
