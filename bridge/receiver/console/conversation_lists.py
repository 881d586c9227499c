"""The list of conversations: its filters, its pages, and what can be done about a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlencode

from bridge.errors import Malformed, WrongInput
from bridge.operating.conversation_lists import ChannelName, ConversationsQuery, Delivery, list_
from bridge.operating.reasons import REASONS
from bridge.receiver.api.questions import question

if TYPE_CHECKING:
    from bridge.receiver.console.pages import Visit

ON_A_PAGE = 25
FILTERS = ("location_id", "status", "reason", "channel", "delivery", "since", "day")
SPANS = {"1h": "last hour", "24h": "last 24 hours", "7d": "last 7 days"}
STATUSES = {
    "waiting": "Waiting",
    "answering": "Answering",
    "retrying": "Retrying",
    "overdue": "Overdue",
    "on_hold": "On hold",
    "answered": "Answered",
    "replied": "Replied",
    "no_reply": "No reply needed",
    "delivered_by_provider": "Delivered by provider",
    "skipped": "Skipped",
    "dead": "Dead",
}
ask = question(list_)


def listed(visit: Visit) -> dict[str, Any]:
    """The content of a page of the list. An impossible filter is reported in its place."""
    chosen = {name: visit.asked(name) for name in FILTERS}
    shown = {
        "chosen": chosen,
        "filtered": any(chosen.values()),
        "statuses": STATUSES,
        "channels": [name for name in get_args(ChannelName) if name],
        "deliveries": [name for name in get_args(Delivery) if name],
        "reason_names": sorted(REASONS),
        "spans": SPANS,
    }
    try:
        page = visit.perform(list_, _query(chosen, visit.asked("after")))
    except (WrongInput, Malformed) as error:
        return {**shown, "rows": (), "next": "", "after": "", "same": "", "wrong": str(error)}
    filters = {name: value for name, value in chosen.items() if value}
    same = urlencode({**filters, **({"after": visit.asked("after")} if visit.asked("after") else {})})
    more = urlencode({**filters, "after": page.next}) if page.next else ""
    found = {"rows": page.conversations, "next": more, "missing": page.missing}
    return {**shown, **found, "after": visit.asked("after"), "same": same, "wrong": ""}


def _query(chosen: dict[str, str], after: str) -> ConversationsQuery:
    """Raises Malformed, as the admin API does."""
    fields = {**chosen, "after": after, "limit": str(ON_A_PAGE)}
    return ask({}, [(name, value) for name, value in fields.items() if value], b"")
