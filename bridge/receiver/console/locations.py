"""The pages for locations: state, settings without secrets, pause and resume."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from bridge.errors import WrongInput
from bridge.locations import Provider
from bridge.operating import locations
from bridge.operating.locations import LocationQuery
from bridge.receiver.console.pages import Moved, Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.operating.location_summaries import LocationSummary
    from bridge.receiver.console.pages import Visit

ON_A_PAGE = 100
AT_ONCE = 500
TOLD_APART = {"id", "name", "mode", "provider"}
PROVIDERS = frozenset(get_args(Provider))
ORDER = {"hold": 0, "active": 2, "paused": 3}


def show_all(visit: Visit) -> Page:
    """All locations, those with problems first."""
    wanted = visit.asked("q").casefold()
    every = list(_every(visit))
    found = sorted((each for each in every if wanted in f"{each.name}\0{each.id}".casefold()), key=_urgency)
    start = max(0, int(visit.asked("from"))) if visit.asked("from").isdecimal() else 0
    shown = {
        "wanted": visit.asked("q"),
        "locations": found[start : start + ON_A_PAGE],
        "found": len(found),
        "all": len(every),
        "start": start,
        "next": start + ON_A_PAGE if len(found) > start + ON_A_PAGE else 0,
    }
    return Page("locations.html", "locations", shown)


def show(visit: Visit) -> Page:
    """One location with its settings."""
    shown = visit.perform(locations.show, LocationQuery(visit.path("id")))
    others = PROVIDERS - {shown.provider, shown.settings["fallback_provider"]}
    settings = {name: value for name, value in shown.settings.items() if name not in others | TOLD_APART}
    return Page("location.html", "locations", {"location": shown, "settings": sorted(_flat("", settings))})


def change(visit: Visit) -> Moved:
    """Pause or resume a location."""
    id_ = visit.path("id")
    match visit.path("change"):
        case "pause":
            visit.perform(locations.pause, LocationQuery(id_))
            told = f"{id_} is paused: its messages are skipped until it is resumed."
        case "resume":
            replayed = visit.perform(locations.resume, LocationQuery(id_)).replayed
            told = f"{id_} is resumed."
            if replayed is not None:
                told = f"{id_} is no longer on hold: waiting messages are answered now, {replayed} dead letter(s) are replayed."
        case _:
            raise WrongInput("a location can only be paused or resumed")
    back = visit.given("back")
    return Moved(f"/console/locations/{id_}" if back == "one" else "/console/locations", told)


def names(visit: Visit) -> dict[str, str]:
    """The names of the locations by their ids, sorted by name."""
    every = sorted(_every(visit), key=lambda each: (each.name or each.id).casefold())
    return {each.id: each.name or each.id for each in every}


def _every(visit: Visit) -> Iterator[LocationSummary]:
    after = ""
    while True:
        page = visit.perform(locations.list_, locations.LocationsQuery(after=after, limit=AT_ONCE))
        yield from page.locations
        if page.next is None:
            return
        after = page.next


def _urgency(location: LocationSummary) -> tuple[int, str, str]:
    place = 1 if location.state == "active" and location.failing else ORDER[location.state]
    return place, location.name.casefold(), location.id


def _flat(prefix: str, settings: dict[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        elif value not in (None, "", (), []):
            yield f"{prefix}{name}", ", ".join(map(_plain, value)) if isinstance(value, (list, tuple)) else _plain(value)


def _plain(value: object) -> str:
    """A setting as in the locations file, without quotes."""
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case _:
            return str(value)
