"""The overview page: problems, waiting conversations, the last day's outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from bridge.operating import overview
from bridge.operating.diagnosis import OVERDUE_SECONDS
from bridge.operating.operation import Nothing
from bridge.receiver.console.charts import draw
from bridge.receiver.console.pages import Moved, Page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.operating.trouble import Trouble
    from bridge.receiver.console.pages import Visit

LISTS = "/console/conversations"
# The link of a problem, by the kind of its cause: a label and an address, which may contain its location.
LINKS = {
    "overdue": ("Show them", f"{LISTS}?status=overdue"),
    "unheard": ("Show them", f"{LISTS}?status=overdue"),
    "dead_letters": ("Show the dead letters", "/console/dead-letters"),
    "hold": ("Show the location", "/console/locations/{location}"),
    "missed": ("Show the location", "/console/locations/{location}"),
    "provider": ("Show what waits", f"{LISTS}?status=waiting&location_id={{location}}"),
    "undelivered": ("Show them", f"{LISTS}?delivery=undelivered&location_id={{location}}"),
    "reply_cap": ("Show them", f"{LISTS}?reason=reply_cap&since=24h"),
    "unknown_type": ("Show them", f"{LISTS}?reason=unknown_type&since=24h"),
}


def show(visit: Visit) -> Page | Moved:
    """The overview page; for an operator of some locations theirs."""
    own = visit.session.operator.location_ids
    if own is not None:
        return Moved(f"/console/locations/{quote(next(iter(own)), safe='')}" if len(own) == 1 else "/console/locations")
    now = visit.perform(overview.overview, Nothing())
    drawn = (("hour", "Last hour, by minute", draw(now.minutes)), ("day", "Last 24 hours, by hour", draw(now.hours)))
    links = links_of(now.troubles)
    return Page("overview.html", "overview", {"now": now, "drawn": drawn, "overdue_seconds": OVERDUE_SECONDS, "links": links})


def links_of(troubles: Iterable[Trouble], *, within: str = "") -> dict[str, tuple[str, str] | None]:
    """A link for each problem, by its cause: a label and an address; None where only a command helps.

    `within`: lists show only this location.
    """
    return {each.cause: _link(each, within) for each in troubles}


def _link(trouble: Trouble, within: str) -> tuple[str, str] | None:
    kind, _, about = trouble.cause.partition(":")
    if kind == "handover":
        return "Show the conversation", f"{LISTS}/{quote(about.rpartition(':')[2], safe='')}"
    if kind not in LINKS or about == "more":
        return None
    label, path = LINKS[kind]
    only = {
        "overdue": "&location_id=",
        "reply_cap": "&location_id=",
        "unknown_type": "&location_id=",
        "dead_letters": "?location=",
    }
    more = f"{only[kind]}{quote(within, safe='')}" if within and kind in only else ""
    return label, path.format(location=quote(trouble.location_id, safe="")) + more
