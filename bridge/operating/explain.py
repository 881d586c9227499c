"""Explains why there was a reply or none, with the contact's timeline, which is found by any of its ids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field

from bridge.errors import NotKnown
from bridge.model import LocationId, Role
from bridge.operating.operation import operation
from bridge.operating.reach import known_id
from bridge.operating.sentences import outcome, sentence
from bridge.operating.services import AdminServices
from bridge.store.lanes.timelines import Event, MessageRecord, Timeline
from bridge.store.redis.connection import now_ms
from bridge.times import ago_ms, iso


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageOutcome:
    """The outcome of one inbound message. `facts` are the data that the rule behind `reason` used; `sentence` contains all of it.

    `delivery` is the state of its reply after GHL accepted it: `accepted` (nothing more is known), `delivered`, `undelivered`.
    """

    message_id: str
    status: str
    reason: str | None
    facts: str | None
    error: str | None
    reply_message_ids: tuple[str, ...]
    delivery: str | None
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A contact's messages and timeline.

    Each event has `at` (ISO 8601, UTC), `step`, its other fields, and all of it as a `sentence`; never message text.
    """

    conversation_id: str
    location_id: str
    contact_id: str
    messages: tuple[MessageOutcome, ...]
    events: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ExplainQuery:
    """The id of a message, conversation, contact or reply."""

    id: Annotated[str, Field(min_length=1, max_length=200)]


@operation("explain", "GET", "/explain/{id}", role=Role.READ, reach=known_id)
def explain(services: AdminServices, asked: ExplainQuery) -> Explained:
    """Explain what happened to a message, in a conversation or with a contact, and why."""
    timeline = services.timelines.find(asked.id)
    if timeline is None:
        raise NotKnown(
            f"{asked.id} is not known here: no message, conversation, contact or reply has this id, or its data has expired. "
            f"{_heard(services, asked.id)}; {_turned_away(services)}."
        )
    return document(timeline)


def document(timeline: Timeline) -> Explained:
    """A timeline as the admin API returns it."""
    conversations = [message.conversation_id for message in timeline.messages if message.conversation_id]
    return Explained(
        conversation_id=conversations[-1] if conversations else "",
        location_id=timeline.lane.location_id,
        contact_id=timeline.lane.contact_id,
        messages=tuple(map(_message, timeline.messages)),
        events=tuple(_event(event) for event in timeline.events),
    )


def _event(event: Event) -> dict[str, Any]:
    fields = {"at": iso(event.at_ms), "step": event.step, **event.details}
    return {**fields, "sentence": sentence(fields)}


def _heard(services: AdminServices, id_: str) -> str:
    """The time of the newest webhook: of the location with this id, or of the three locations with the newest ones."""
    events, now = services.feeds.last_events(), now_ms(services.redis)
    if id_ in events:
        events = {LocationId(id_): events[LocationId(id_)]}
    newest = sorted(((at, one) for one, at in events.items() if at), reverse=True)[:3]
    if not newest:
        return "No webhook of a known location has arrived yet"
    return "The newest webhooks arrived " + ", ".join(f"{ago_ms(at, now)} for location {one} ({iso(at)})" for at, one in newest)


def _turned_away(services: AdminServices) -> str:
    refused = services.feeds.last_refused()
    if refused is None:
        return "no webhook was refused within 30 days"
    at, code = refused
    return f"the newest refused webhook arrived {ago_ms(at, now_ms(services.redis))} ({iso(at)}): {code}"


def _message(record: MessageRecord) -> MessageOutcome:
    told = MessageOutcome(
        message_id=record.id,
        status=record.status,
        reason=record.reason or None,
        facts=record.facts or None,
        error=record.error or None,
        reply_message_ids=record.reply_ids,
        delivery=record.delivery or None,
    )
    return replace(told, sentence=outcome(told))
