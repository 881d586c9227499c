"""Lists of conversations: by location, status, reason, channel, day and delivery, a page at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from bridge.errors import WrongInput
from bridge.ghl.channels import KINDS, find_kind
from bridge.ghl.fields import ID_PATTERN
from bridge.model import NO_REPLY_REASONS, Channel, LocationId, Role, Status
from bridge.operating.operation import operation
from bridge.operating.people import names_of
from bridge.operating.reach import visible
from bridge.operating.services import AdminServices
from bridge.store.operators.conversation_lists import (
    FOR_EVER_MS,
    ListedConversation,
    ListFilter,
    Work,
    missing_locations,
    reached_locations,
)
from bridge.store.redis.connection import now_ms
from bridge.time_zones import zone
from bridge.times import iso

if TYPE_CHECKING:
    from datetime import tzinfo

Wanted = Literal[
    "", "waiting", "answering", "retrying", "overdue", "on_hold", "answered", "replied", "no_reply", "delivered_by_provider",
    "skipped", "dead",
]  # fmt: skip
Delivery = Literal["", "accepted", "delivered", "undelivered"]
ChannelName = Literal["", "SMS", "WhatsApp", "FB", "IG", "Live_Chat", "Custom", "Email", "GMB", "RCS", "TikTok"]

WORK: dict[str, Work] = {
    "waiting": "waiting",
    "answering": "answering",
    "retrying": "retrying",
    "overdue": "overdue",
    "on_hold": "held",
}
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRow:
    """A conversation of a list; times are ISO 8601 in UTC.

    `status` is the state of its unfinished work (waiting, answering, retrying), else the outcome of its newest ended message;
    empty if it is unknown. `at` is the time of its newest message, or of the end that the filter names; in a list of unfinished
    work it is the due time. `due_at` is when a worker takes it next. `channel` is empty if it is unknown. `name` is the
    contact's, else its number or address; null if none is known, or with BRIDGE_CONSOLE_SHOW_TEXT=0.
    """

    location_id: str
    contact_id: str
    name: str | None
    status: str
    reason: str | None
    channel: str
    on_hold: bool
    at: str | None
    ended_at: str | None
    due_at: str | None
    failed_attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationPage:
    """Some conversations. A page may be empty and have a `next`, if the filter matches few.

    `missing` are sentences that name the locations whose node of a cluster is missing, which are not in the list.
    """

    conversations: tuple[ConversationRow, ...]
    next: str | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationsQuery:
    """The filter; empty fields match everything.

    `status`: unfinished work, oldest first (waiting, answering, retrying, overdue, on_hold), or the outcome of a message, newest
    first; `answered` is replied or delivered_by_provider. `reason` is the reason of that outcome. `since` is a span like 2h;
    `day` a date in the location's time zone (UTC without a location): of the newest such outcome, or of the newest message.
    `delivery` is that of its replies. `after` is the `next` of another page.
    """

    location_id: Annotated[str, Field(max_length=64)] = ""
    status: Wanted = ""
    reason: Annotated[str, Field(pattern=r"^[a-z_]{0,40}$")] = ""
    channel: ChannelName = ""
    delivery: Delivery = ""
    since: Annotated[str, Field(pattern=r"^([0-9]{1,6}[smhd])?$")] = ""
    day: Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = ""
    after: Annotated[str, Field(pattern=rf"^([0-9]{{1,15}}-{ID_PATTERN}:{ID_PATTERN})?$")] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@operation("conversations.list", "GET", "/conversations", role=Role.READ, reach=visible)
def list_(services: AdminServices, asked: ConversationsQuery) -> ConversationPage:
    """List conversations: those that wait oldest first, others newest first."""
    since, before = _span(services, asked)
    wanted = ListFilter(
        location_ids=[asked.location_id] if asked.location_id else [*filter(services.sees, reached_locations(services.redis))],
        work=WORK.get(asked.status, ""),
        ended=_ends(asked),
        kinds=_kinds(asked.channel),
        delivery=asked.delivery,
        since_ms=since,
        before_ms=before,
    )
    page = services.conversation_lists.page(wanted, after=asked.after, most=asked.limit)
    names = names_of(services, [one.lane for one in page.conversations])
    rows = tuple(_row(one, names.get(one.lane)) for one in page.conversations)
    return ConversationPage(conversations=rows, next=page.next or None, missing=missing_locations(services.redis))


def _ends(asked: ConversationsQuery) -> tuple[str, ...]:
    """The requested ends. A reason alone implies its status."""
    if asked.status in WORK:
        return ()
    if asked.reason:
        status = asked.status or (Status.NO_REPLY if asked.reason in NO_REPLY_REASONS else Status.SKIPPED)
        return (f"{status}|{asked.reason}",)
    if asked.status == "answered":
        return (Status.REPLIED, Status.DELIVERED_BY_PROVIDER)
    return (asked.status,) if asked.status else ()


def _kinds(channel: str) -> tuple[str, ...]:
    return tuple(kind.name for kind in KINDS if kind.channel == channel) + ((channel,) if channel else ())


def _span(services: AdminServices, asked: ConversationsQuery) -> tuple[int, int]:
    """The requested range (ms). Raises WrongInput for a date that does not exist."""
    if asked.day:
        here = _zone(services, asked.location_id)
        try:
            begins = datetime.fromisoformat(asked.day).replace(tzinfo=here)
        except ValueError:
            raise WrongInput(f"{asked.day} is not a day: write it like 2026-11-30") from None
        return round(begins.timestamp() * 1000), round((begins + DAY).timestamp() * 1000)
    if found := re.fullmatch(r"(\d+)([smhd])", asked.since):
        return now_ms(services.redis) - int(found[1]) * UNITS[found[2]] * 1000, FOR_EVER_MS
    return 0, FOR_EVER_MS


def _zone(services: AdminServices, location_id: str) -> tzinfo:
    record = services.locations.get(LocationId(location_id)) if location_id else None
    return zone(record.location.timezone) if record else UTC


def _row(one: ListedConversation, name: str | None) -> ConversationRow:
    status = "waiting" if one.work == "held" else one.work or one.status
    kind = find_kind(one.kind, "", None)
    return ConversationRow(
        location_id=one.lane.location_id,
        contact_id=one.lane.contact_id,
        name=name,
        status=status,
        reason=one.reason or None if not one.work else None,
        channel=kind.channel if kind else Channel.UNKNOWN if one.kind else "",
        on_hold=one.work == "held",
        at=iso(one.at_ms),
        ended_at=iso(one.ended_ms),
        due_at=iso(one.due_ms),
        failed_attempts=one.attempts,
    )
