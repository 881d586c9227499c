"""The report of a location or of all: a page to read and to print for a client, and CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from bridge.errors import Malformed, WrongInput
from bridge.operating.report_csv import as_csv
from bridge.operating.reports import Report, ReportQuery, report
from bridge.receiver.api.questions import question
from bridge.receiver.console.locations import names
from bridge.receiver.console.pages import FileToSave, Page

if TYPE_CHECKING:
    from bridge.receiver.console.pages import Visit

HEIGHT = 100.0
PERIODS = {"day": "Day", "week": "Week", "month": "Month"}
# The hours at which the quarters of a day begin.
LABELLED = (0, 6, 12, 18, 23)
ask = question(report)


@dataclass(frozen=True, slots=True)
class HourBar:
    """The messages of one hour of the day, as a bar from `y` down."""

    hour: int
    count: int
    y: float
    height: float


def show(visit: Visit) -> Page:
    """The report. An impossible request is reported on the page."""
    wrong = ""
    try:
        found = visit.perform(report, _asked(visit))
    except (Malformed, WrongInput) as error:
        found, wrong = visit.perform(report, ReportQuery()), str(error)
    return Page("report.html", "report", {**_shown(found), "names": names(visit), "wrong": wrong, "periods": PERIODS})


def download(visit: Visit) -> FileToSave:
    """The same as CSV. Raises Malformed and WrongInput."""
    found = visit.perform(report, _asked(visit))
    name = f"report-{found.location_id or 'all'}-{found.first_day}-{found.period}.csv"
    return FileToSave(name=name, text=as_csv(found), media_type="text/csv; charset=utf-8")


def _asked(visit: Visit) -> ReportQuery:
    fields = {name: visit.asked(name) for name in ("location_id", "period", "day")}
    return ask({}, [(name, value) for name, value in fields.items() if value], b"")


def _shown(found: Report) -> dict[str, Any]:
    asked = {"location_id": found.location_id, "period": found.period}
    before = date.fromisoformat(found.first_day) - timedelta(days=1)
    after = date.fromisoformat(found.last_day) + timedelta(days=1)
    return {
        "report": found,
        "bars": _bars(found.hours),
        "labelled": LABELLED,
        "previous": urlencode({**asked, "day": before}),
        "following": urlencode({**asked, "day": after}),
        "same": urlencode({**asked, "day": found.first_day}),
        "has_cost": found.total.cost is not None,
    }


def _bars(hours: tuple[int, ...]) -> list[HourBar]:
    highest = max(*hours, 1)
    heights = [count / highest * HEIGHT for count in hours]
    return [
        HourBar(hour, count, round(HEIGHT - height, 2), round(height, 2))
        for hour, (count, height) in enumerate(zip(hours, heights, strict=True))
    ]
