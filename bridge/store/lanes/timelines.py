"""Timelines: the steps of each lane with their reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from bridge.model import Lane, Status
from bridge.policy.delivery import delivery_of
from bridge.store.lanes.messages import decode
from bridge.store.lanes.phrases import read_event
from bridge.store.lanes.transcripts import parse_entry
from bridge.store.redis.connection import reaching, text
from bridge.store.redis.partition_calls import lane_of
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from redis import Redis


@dataclass(frozen=True, slots=True)
class Event:
    """A step of a timeline: its time (ms), its name, and its details (ids, counts, reasons; never text)."""

    at_ms: int
    step: str
    details: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """The outcome of one inbound message; `delivery`: that of its reply after GHL accepted it, empty without a reply."""

    id: str
    status: str
    reason: str
    facts: str
    error: str
    conversation_id: str
    reply_ids: tuple[str, ...]
    delivery: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A lane's messages and steps."""

    lane: Lane
    messages: tuple[MessageRecord, ...]
    events: tuple[Event, ...]


class Timelines:
    """Reads timelines. Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def find(self, id_: str) -> Timeline | None:
        """The timeline that a message, conversation, contact or reply id belongs to; None if the id is not known."""
        with reaching(f"read the timeline of {id_}"):
            found = lane_of(self._redis, id_)
            if not found:
                return None
            lane = Lane.parse(found)
            events = tuple(_event(text(line)) for line in self._redis.lrange(key("timeline", str(lane)), 0, -1))
            ids = dict.fromkeys(event.details["message_id"] for event in events if "message_id" in event.details)
            # The requested message first, if its events are no longer in the timeline.
            asked = [] if id_ in ids else [id_]
            return Timeline(lane, self._messages(lane, (*asked, *ids)), events)

    def lane(self, id_: str) -> Lane | None:
        """The lane that an id belongs to; None if it is not known."""
        with reaching(f"look for {id_}"):
            found = lane_of(self._redis, id_)
        return Lane.parse(found) if found else None

    def text(self, lane: Lane, id_: str) -> str | None:
        """A message's text; stored until it is answered, or while it is a dead letter; None otherwise."""
        with reaching(f"read message {id_}"):
            body = self._redis.hget(key("message", lane.location_id, id_), "body")
        return decode(text(body)).text if body else None

    def said(self, lane: Lane, id_: str) -> str | None:
        """A message's text in the transcript, which has the newest 200 of both sides; None if it is not there."""
        with reaching(f"read the transcript of {lane}"):
            found = self._redis.zrevrange(key("said", str(lane)), 0, -1)
        return next((one.content for one in (parse_entry(text(line), 0) for line in found) if one.id == id_), None)

    def _messages(self, lane: Lane, ids: tuple[str, ...]) -> tuple[MessageRecord, ...]:
        pipe = self._redis.pipeline(transaction=False)
        for one in ids:
            pipe.hgetall(key("message", lane.location_id, one))
        pipe.hgetall(key("delivery", str(lane)))
        *found, noted = pipe.execute()
        return tuple(_record(one, fields, noted) for one, fields in zip(ids, found, strict=True) if fields)


def _event(line: str) -> Event:
    at, _, document = line.partition(" ")
    details = read_event(document)
    return Event(int(at), details.pop("step"), details)


def _record(id_: str, fields: dict[str, str], noted: dict[str, str]) -> MessageRecord:
    reply_ids = tuple(orjson.loads(fields.get("replies", "[]")))
    answered = reply_ids or fields["status"] in {Status.REPLIED, Status.DELIVERED_BY_PROVIDER}
    return MessageRecord(
        id=id_,
        status=fields["status"],
        reason=fields.get("reason", ""),
        facts=fields.get("facts", ""),
        error=fields.get("error", ""),
        conversation_id=fields.get("conversation", ""),
        reply_ids=reply_ids,
        delivery=delivery_of([noted.get(one, "") for one in reply_ids]) if answered else "",
    )
