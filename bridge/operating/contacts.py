"""A contact: what it forbade, how that is lifted, and how everything kept of it is erased."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bridge.errors import NotKnown
from bridge.model import ContactId, ConversationId, Lane, LocationId
from bridge.operating.office import Office
from bridge.operating.operation import operation
from bridge.operating.standing import StandingShown, shown

# As GHL makes them; a lane's key has a colon between the two.
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactShown:
    """A contact; `conversation_id` is empty while none is known. Nothing of what it wrote is told here."""

    location_id: str
    contact_id: str
    conversation_id: str
    standing: StandingShown
    waiting: int
    working: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """The channels that were stopped until now."""

    location_id: str
    contact_id: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class One:
    """Which contact of which location."""

    location_id: Id
    contact_id: Id


@operation("contacts.show", "GET", "/contacts/{location_id}/{contact_id}")
def show(office: Office, asked: One) -> ContactShown:
    """Show what a contact forbade, and what is known of it."""
    lane = _lane(office, asked)
    timeline = office.timelines.find(asked.contact_id)
    conversations = [one.conversation_id for one in timeline.messages if one.conversation_id] if timeline else []
    conversation = conversations[-1] if conversations else ""
    place, standing = office.places.place(lane), shown(office, lane, ConversationId(conversation))
    if timeline is None and not place.waiting and not _says_anything(standing):
        raise NotKnown(f"contact {asked.contact_id} of location {asked.location_id} is not known here")
    return ContactShown(
        location_id=lane.location_id,
        contact_id=lane.contact_id,
        conversation_id=conversation,
        standing=standing,
        waiting=place.waiting,
        working=place.working,
    )


@operation(
    "contacts.allow",
    "POST",
    "/contacts/{location_id}/{contact_id}/allow",
    about=lambda asked: (asked.location_id, asked.contact_id),
)
def allow(office: Office, asked: One) -> Allowed:
    """Lift a contact's stops on every channel, as if it had written START."""
    channels = office.standings.allow(_lane(office, asked))
    return Allowed(location_id=asked.location_id, contact_id=asked.contact_id, channels=channels)


def _lane(office: Office, asked: One) -> Lane:
    if office.locations.get(LocationId(asked.location_id)) is None:
        raise NotKnown(f"location {asked.location_id} is not known; `ghl-bridge locations list` shows the ones that are")
    return Lane(LocationId(asked.location_id), ContactId(asked.contact_id))


def _says_anything(standing: StandingShown) -> bool:
    told = (standing.paused_since, standing.human_spoke_at, standing.tags, standing.dnd, standing.blocked_channels)
    return bool(standing.stopped or standing.replies_within_a_day) or any(one is not None for one in told)
