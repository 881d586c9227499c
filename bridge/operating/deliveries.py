"""Deliveries: replies that GHL accepted but that did not reach their contacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bridge.model import Role
from bridge.operating.operation import operation
from bridge.operating.reach import visible
from bridge.operating.services import AdminServices
from bridge.store.figures.deliveries import undelivered as read_undelivered
from bridge.times import iso

MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class UndeliveredReply:
    """A reply that did not reach its contact: GHL's id, the channel, and the time of GHL's report (ISO 8601, UTC)."""

    reply_id: str
    location_id: str
    contact_id: str
    channel: str
    at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndeliveredReplies:
    """The newest undelivered replies, newest first. None is sent again automatically."""

    replies: tuple[UndeliveredReply, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UndeliveredQuery:
    """Of which location (empty: all), and at most how many."""

    location: Annotated[str, Field(max_length=100)] = ""
    limit: Annotated[int, Field(ge=1, le=MOST)] = MOST


@operation("conversations.undelivered", "GET", "/undelivered", role=Role.READ, reach=visible)
def undelivered(services: AdminServices, asked: UndeliveredQuery) -> UndeliveredReplies:
    """List replies that GHL accepted but that did not reach their contacts."""
    found = [
        UndeliveredReply(
            reply_id=one.reply_id,
            location_id=one.lane.location_id,
            contact_id=one.lane.contact_id,
            channel=one.channel,
            at=iso(one.at_ms),
        )
        for one in read_undelivered(services.redis)
        if asked.location in ("", one.lane.location_id) and services.sees(one.lane.location_id)
    ]
    return UndeliveredReplies(replies=tuple(found[: asked.limit]))
