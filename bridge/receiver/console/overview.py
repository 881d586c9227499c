"""The overview page: problems, waiting conversations, the last day's outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.operating import overview
from bridge.operating.diagnosis import OVERDUE_SECONDS
from bridge.operating.operation import Nothing
from bridge.receiver.console.charts import draw
from bridge.receiver.console.pages import Page

if TYPE_CHECKING:
    from bridge.receiver.console.pages import Visit


def show(visit: Visit) -> Page:
    """The overview page."""
    now = visit.perform(overview.overview, Nothing())
    charts = (("hour", "Last hour, by minute", draw(now.minutes)), ("day", "Last 24 hours, by hour", draw(now.hours)))
    return Page("overview.html", "overview", {"now": now, "charts": charts, "overdue_seconds": OVERDUE_SECONDS})
