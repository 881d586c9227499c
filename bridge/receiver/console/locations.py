"""The list of locations: state, pause and resume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import WrongInput
from bridge.operating import locations
from bridge.operating.locations import LocationQuery
from bridge.receiver.console.pages import Moved, Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.operating.location_summaries import LocationSummary
    from bridge.operating.locations import LocationPage
    from bridge.receiver.console.pages import Visit

ON_A_PAGE = 25
AT_ONCE = 500
ORDER = {"hold": 0, "unconfigured": 2, "active": 3, "uninstalled": 4, "paused": 5}


def show_all(visit: Visit) -> Page:
    """All locations, those with problems first."""
    wanted = visit.asked("q").casefold()
    pages = list(_pages(visit))
    every = [each for page in pages for each in page.locations]
    found = sorted((each for each in every if wanted in f"{each.name}\0{each.id}".casefold()), key=_urgency)
    start = max(0, int(visit.asked("from"))) if visit.asked("from").isdecimal() else 0
    shown = {
        "wanted": visit.asked("q"),
        "missing": pages[0].missing,
        "locations": found[start : start + ON_A_PAGE],
        "found": len(found),
        "all": len(every),
        "start": start,
        "next": start + ON_A_PAGE if len(found) > start + ON_A_PAGE else 0,
    }
    return Page("locations.html", "locations", shown)


def change(visit: Visit) -> Moved:
    """Pause or resume a location."""
    id_ = visit.path("id")
    match visit.path("change"):
        case "pause":
            visit.perform(locations.pause, LocationQuery(id_))
            note = f"{id_} is paused: its messages are skipped until it is resumed."
        case "resume":
            replayed = visit.perform(locations.resume, LocationQuery(id_)).replayed
            note = f"{id_} is resumed."
            if replayed is not None:
                note = f"{id_} is no longer on hold: waiting messages are answered now, {replayed} dead letter(s) are replayed."
        case _:
            raise WrongInput("a location can only be paused or resumed")
    back = visit.given("back")
    return Moved(f"/console/locations/{id_}" if back == "one" else "/console/locations", note)


def names(visit: Visit) -> dict[str, str]:
    """The names of the locations by their ids, sorted by name."""
    return names_and_zones(visit)["names"]


def names_and_zones(visit: Visit) -> dict[str, dict[str, str]]:
    """The `names` of the locations by their ids, sorted by name, and their time `zones`."""
    every = sorted(
        (each for page in _pages(visit) for each in page.locations), key=lambda each: (each.name or each.id).casefold()
    )
    return {"names": {each.id: each.name or each.id for each in every}, "zones": {each.id: each.timezone for each in every}}


def _pages(visit: Visit) -> Iterator[LocationPage]:
    after = ""
    while True:
        page = visit.perform(locations.list_, locations.LocationsQuery(after=after, limit=AT_ONCE))
        yield page
        if page.next is None:
            return
        after = page.next


def _urgency(location: LocationSummary) -> tuple[int, str, str]:
    place = 1 if location.state == "active" and location.failing else ORDER[location.state]
    return place, location.name.casefold(), location.id
