"""The page of one location: what needs attention, numbers, settings in words, a test of its provider, its settings as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.operating import installs, location_export, location_overview, locations, provider_check
from bridge.operating.diagnosis import OVERDUE_SECONDS
from bridge.operating.operation import Nothing
from bridge.operating.reports import ReportQuery, report
from bridge.receiver.console import location_setup
from bridge.receiver.console.charts import draw
from bridge.receiver.console.overview import links_of
from bridge.receiver.console.pages import FileToSave, Page

if TYPE_CHECKING:
    from bridge.operating.provider_check import ProviderChecked
    from bridge.receiver.console.pages import Visit


def show(visit: Visit) -> Page:
    """The page of one location; a location that has the app but no settings gets its setup form."""
    id_ = visit.path("id")
    if id_ in visit.perform(installs.unconfigured, Nothing()).location_ids:
        return location_setup.show(visit)
    return _page(visit, id_)


def check_provider(visit: Visit) -> Page:
    """The same page with the provider's answer."""
    id_ = visit.path("id")
    return _page(visit, id_, visit.perform(provider_check.check_provider, provider_check.ProviderQuery(id_)))


def export(visit: Visit) -> FileToSave:
    """The settings as a file for `locations apply`."""
    id_ = visit.path("id")
    toml = visit.perform(location_export.export, location_export.ExportQuery(location_id=id_)).toml
    return FileToSave(f"{id_}.toml", toml, "application/toml")


def export_all(visit: Visit) -> FileToSave:
    """The settings of all locations as one file."""
    return FileToSave(
        "locations.toml", visit.perform(location_export.export, location_export.ExportQuery()).toml, "application/toml"
    )


def _page(visit: Visit, id_: str, checked: ProviderChecked | None = None) -> Page:
    shown = visit.perform(locations.show, locations.LocationQuery(id_))
    now = visit.perform(location_overview.overview, location_overview.LocationOverviewQuery(id_))
    month = visit.perform(report, ReportQuery(location_id=id_, period="month"))
    details = {
        "chart": draw(month.days, [each.day for each in month.days]),
        "month": month,
        "location": shown,
        "now": now,
        "links": links_of(now.troubles, within=id_),
        "overdue_seconds": OVERDUE_SECONDS,
        "changed": [each for each in shown.in_words if each.changed],
        "usual": [each for each in shown.in_words if not each.changed],
        "checked": checked,
    }
    return Page("location.html", "locations", details)
