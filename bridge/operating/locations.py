"""The locations and their settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from bridge.errors import NotKnown, WrongInput
from bridge.locations import Location
from bridge.locations_file import check
from bridge.model import LocationId, Role
from bridge.operating.location_summaries import LocationShown, LocationSummary, summaries, unconfigured, without_secrets
from bridge.operating.operation import operation
from bridge.operating.provider_faults import check_providers
from bridge.operating.reach import applied, one_location, visible
from bridge.operating.services import AdminServices
from bridge.operating.settings_in_words import in_words
from bridge.operating.unreadable import check_replaceable
from bridge.policy.failover import who_delivers
from bridge.store.locations.records import LocationRecord
from bridge.store.operators.conversation_lists import missing_locations, reached_locations
from bridge.stored_secrets import with_stored

Id = Annotated[str, Field(min_length=1, max_length=64)]
# `each` names the schema of every value: `bridge.locations.schema`, a separate schema of the document.
TABLES = {"type": "object", "propertyNames": {"pattern": "^[A-Za-z0-9_-]{1,64}$"}, "each": "LocationTable"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationPage:
    """Some locations in the order of their ids; `next` is the `after` of the following page, null if this is the last.

    `missing` are sentences that name the locations whose node of a cluster is missing, which are not in the list.
    """

    locations: tuple[LocationSummary, ...]
    next: str | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedLocation:
    """A location that was added or replaced.

    `replayed` is the number of dead letters that a changed token replayed, null if it ended no hold.
    """

    id: str
    name: str
    mode: str
    provider: str
    replayed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The changes that a file made."""

    locations: tuple[AppliedLocation, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationResumed:
    """`replayed` is the number of dead letters that the end of a hold replayed, null if there was no hold."""

    id: str
    replayed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The change was made to this location."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationsQuery:
    """Which locations: those `after` an id, at most `limit`."""

    after: Annotated[str, Field(max_length=64)] = ""
    limit: Annotated[int, Field(ge=1, le=500)] = 100


@dataclass(frozen=True, slots=True)
class LocationQuery:
    """The id of a location."""

    location_id: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    """A locations file: the table of each id, without `{ env = }`. `prune` removes all locations that are not in it.

    `{"stored": true}` instead of a secret keeps the stored one. `replace_unreadable` overwrites secrets whose key is
    lost, even while a process with another key runs.
    """

    locations: Annotated[dict[str, dict[str, Any]], WithJsonSchema(TABLES)]
    prune: bool = False
    replace_unreadable: bool = False


@operation("locations.list", "GET", "/locations", role=Role.READ, reach=visible)
def list_(services: AdminServices, asked: LocationsQuery) -> LocationPage:
    """List locations."""
    ids = [id_ for id_ in reached_locations(services.redis) if id_ > asked.after and services.sees(id_)]
    page = ids[: asked.limit]
    found = {each["id"]: LocationSummary(**each) for each in summaries(services, services.locations.some(page))}
    following = ids[asked.limit - 1] if len(ids) > asked.limit else None
    located = tuple(found.get(id_) or unconfigured(services, id_) for id_ in page)
    return LocationPage(locations=located, next=following, missing=missing_locations(services.redis))


@operation("locations.show", "GET", "/locations/{location_id}", role=Role.READ, reach=one_location)
def show(services: AdminServices, asked: LocationQuery) -> LocationShown:
    """Show one location's settings."""
    record = _known(services, asked.location_id)
    (summary,) = summaries(services, [record])
    how = record.location.delivery_of(record.location.provider)
    delivery = who_delivers(how, unclaimed=record.unclaimed, seen=record.seen) or None
    settings = without_secrets(record.location.model_dump())
    return LocationShown(**summary, delivery=delivery, settings=settings, in_words=in_words(record.location))


@operation("locations.apply", "PUT", "/locations", about=lambda asked: tuple(asked.locations), role=Role.ADMIN, reach=applied)
def apply(services: AdminServices, asked: Apply) -> Applied:
    """Add and replace locations. If anything is wrong, nothing is changed."""
    found = check(asked.locations)
    check_providers(found, services.providers)
    if asked.prune and not found:
        raise WrongInput("pruning with an empty file would remove all locations: remove them by their ids instead")
    unreadable = services.locations.unreadable()
    readable = [one.location_id for one in found if one.location_id not in unreadable]
    before = {record.location.id: record for record in services.locations.some(readable)}
    found = with_stored(found, {id_: record.location for id_, record in before.items()})
    foreign = bool(unreadable) or services.canary.is_foreign()
    if foreign:
        check_replaceable(services, found, unreadable, forced=asked.replace_unreadable)
    services.locations.apply(found)
    if foreign:
        services.canary.replace()
    for one in found:
        if one.id in before and before[one.id].location != one:
            services.locations.reconsider(one.location_id)
    applied = tuple(_applied(services, one, before.get(one.id)) for one in found)
    return Applied(locations=applied, removed=_prune(services, found) if asked.prune else ())


@operation(
    "locations.pause",
    "POST",
    "/locations/{location_id}/pause",
    about=lambda asked: (asked.location_id,),
    role=Role.OPERATE,
    reach=one_location,
)
def pause(services: AdminServices, asked: LocationQuery) -> Done:
    """Skip messages of a location, with the reason location_paused, until it is resumed."""
    record = _known(services, asked.location_id)
    services.locations.pause(record.location.location_id, paused=True)
    return Done(id=record.location.id)


@operation(
    "locations.resume",
    "POST",
    "/locations/{location_id}/resume",
    about=lambda asked: (asked.location_id,),
    role=Role.OPERATE,
    reach=one_location,
)
def resume(services: AdminServices, asked: LocationQuery) -> LocationResumed:
    """End a pause, a hold (waiting messages are answered), or the stop after the app was uninstalled."""
    id_ = _known(services, asked.location_id).location.location_id
    services.locations.pause(id_, paused=False)
    services.installs.resume(id_)
    return LocationResumed(id=id_, replayed=services.locations.lift_hold(id_, why="resumed by an operator"))


@operation(
    "locations.remove",
    "DELETE",
    "/locations/{location_id}",
    about=lambda asked: (asked.location_id,),
    role=Role.ADMIN,
    reach=one_location,
)
def remove(services: AdminServices, asked: LocationQuery) -> Done:
    """Delete a location and its tokens; its waiting messages are skipped, with the reason unknown_location."""
    id_ = LocationId(asked.location_id)
    if id_ not in services.locations.unreadable():
        id_ = _known(services, asked.location_id).location.location_id
    services.locations.remove(id_)
    return Done(id=id_)


def _known(services: AdminServices, id_: str) -> LocationRecord:
    record = services.locations.get(LocationId(id_))
    if record is None and id_ in services.installs.unconfigured():
        raise NotKnown(f"location {id_} has the app, but no settings yet: start with `ghl-bridge locations template`")
    if record is None:
        raise NotKnown(f"location {id_} is not known; `ghl-bridge locations list` shows the known ones")
    return record


def _applied(services: AdminServices, location: Location, before: LocationRecord | None) -> AppliedLocation:
    replayed = None
    if before and before.hold_since_ms and _tokens(before.location) != _tokens(location):
        replayed = services.locations.lift_hold(location.location_id, why="a changed token was applied")
    if before and location.ghl_token and location.ghl_token != before.location.ghl_token:
        services.installs.resume(location.location_id)
    return AppliedLocation(
        id=location.id,
        name=location.name,
        mode=location.mode,
        provider=location.provider,
        replayed=replayed,
    )


def _prune(services: AdminServices, found: tuple[Location, ...]) -> tuple[str, ...]:
    absent = sorted(set(services.locations.ids()) - {location.location_id for location in found})
    for id_ in absent:
        services.locations.remove(id_)
    return tuple(absent)


def _tokens(location: Location) -> tuple[object, ...]:
    """All tokens of a location; a hold ends when one of them changes."""
    return (location.ghl_token, *(getattr(table, "token", None) for _, table in location.provider_tables()))
