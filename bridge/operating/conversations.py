"""Conversations: show their state, pause and resume them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bridge.errors import NotKnown
from bridge.model import ConversationId, Role
from bridge.operating.explain import MessageOutcome, document
from bridge.operating.operation import operation
from bridge.operating.people import ghl_link, names_of
from bridge.operating.reach import known_id
from bridge.operating.services import AdminServices
from bridge.operating.standing import StandingShown, shown
from bridge.times import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationShown:
    """The state of a conversation; times are ISO 8601 in UTC.

    `name` is the contact's, else its number or address, `ghl_url` the address of the conversation in GHL; null if unknown.
    `waiting` is the number of its waiting messages, which are due at `due_at`; `working`: a worker has it now. `messages` are
    those of its timeline.
    """

    conversation_id: str
    location_id: str
    contact_id: str
    name: str | None
    ghl_url: str | None
    standing: StandingShown
    waiting: int
    working: bool
    due_at: str | None
    failed_attempts: int
    messages: tuple[MessageOutcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """The conversation is paused. `known`: the bridge already knew the id; if not, the pause applies from its first message."""

    id: str
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationResumed:
    """The conversation is neither paused nor taken over by a person."""

    id: str


@dataclass(frozen=True, slots=True)
class ConversationQuery:
    """The id of a conversation or of its contact."""

    id: Annotated[str, Field(min_length=1, max_length=100)]


@operation("conversations.show", "GET", "/conversations/{id}", role=Role.READ, reach=known_id)
def show(services: AdminServices, asked: ConversationQuery) -> ConversationShown:
    """Show the state of a conversation: pause, takeover, opt-outs, waiting messages."""
    timeline = services.timelines.find(asked.id)
    if timeline is None:
        raise NotKnown(f"{asked.id} is not known here: no conversation or contact with this id was seen, or its data has expired")
    explained = document(timeline)
    place = services.places.place(timeline.lane)
    return ConversationShown(
        conversation_id=explained.conversation_id,
        location_id=explained.location_id,
        contact_id=explained.contact_id,
        name=names_of(services, [timeline.lane]).get(timeline.lane),
        ghl_url=ghl_link(services, timeline.lane, explained.conversation_id),
        standing=shown(services, timeline.lane, ConversationId(explained.conversation_id)),
        waiting=place.waiting,
        working=place.working,
        due_at=iso(place.due_at_ms),
        failed_attempts=place.attempts,
        messages=explained.messages,
    )


@operation(
    "conversations.pause", "POST", "/conversations/{id}/pause", about=lambda asked: (asked.id,), role=Role.OPERATE, reach=known_id
)
def pause(services: AdminServices, asked: ConversationQuery) -> Paused:
    """Skip messages of a conversation, with the reason conversation_paused, until it is resumed."""
    return Paused(id=asked.id, known=services.standings.pause(asked.id) is not None)


@operation(
    "conversations.resume",
    "POST",
    "/conversations/{id}/resume",
    about=lambda asked: (asked.id,),
    role=Role.OPERATE,
    reach=known_id,
)
def resume(services: AdminServices, asked: ConversationQuery) -> ConversationResumed:
    """End a pause and a human takeover; messages that were skipped stay skipped."""
    if not services.standings.resume(asked.id):
        raise NotKnown(f"{asked.id} is not known here, and not paused")
    return ConversationResumed(id=asked.id)
