"""Contacts: show what they opted out of, lift it, or erase everything stored about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bridge.errors import NotKnown
from bridge.model import ContactId, ConversationId, Lane, LocationId
from bridge.operating.operation import operation
from bridge.operating.services import AdminServices
from bridge.operating.standing import StandingShown, shown
from bridge.times import iso

# As GHL makes them; a lane's key has a colon between the two.
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactShown:
    """A contact; `conversation_id` is empty while none is known. Nothing of what it wrote is told here.

    `stopped_before_erasure` names channels that it had stopped when it was erased: they count again with its next message.
    """

    location_id: str
    contact_id: str
    conversation_id: str
    standing: StandingShown
    stopped_before_erasure: dict[str, str | None]
    waiting: int
    working: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """The channels that were stopped until now."""

    location_id: str
    contact_id: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How many records were removed; the stops on these channels stay, under a digest that names nobody."""

    records: int
    stopped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContactQuery:
    """Which contact of which location."""

    location_id: Id
    contact_id: Id


@operation("contacts.show", "GET", "/contacts/{location_id}/{contact_id}")
def show(services: AdminServices, asked: ContactQuery) -> ContactShown:
    """Show what a contact forbade, and what is known of it."""
    lane = _lane(services, asked)
    timeline = services.timelines.find(asked.contact_id)
    conversations = [one.conversation_id for one in timeline.messages if one.conversation_id] if timeline else []
    conversation = conversations[-1] if conversations else ""
    place, standing = services.places.place(lane), shown(services, lane, ConversationId(conversation))
    erased = {channel: iso(at) for channel, at in sorted(services.erasures.stopped(lane).items())}
    if timeline is None and not place.waiting and not erased and not _says_anything(standing):
        raise NotKnown(f"contact {asked.contact_id} of location {asked.location_id} is not known here")
    return ContactShown(
        location_id=lane.location_id,
        contact_id=lane.contact_id,
        conversation_id=conversation,
        standing=standing,
        stopped_before_erasure=erased,
        waiting=place.waiting,
        working=place.working,
    )


@operation(
    "contacts.allow",
    "POST",
    "/contacts/{location_id}/{contact_id}/allow",
    about=lambda asked: (asked.location_id, asked.contact_id),
)
def allow(services: AdminServices, asked: ContactQuery) -> Allowed:
    """Lift a contact's stops on every channel, as if it had written START."""
    lane = _lane(services, asked)
    channels = {*services.standings.allow(lane), *services.erasures.allow(lane)}
    return Allowed(location_id=asked.location_id, contact_id=asked.contact_id, channels=tuple(sorted(channels)))


# Of the contact itself the record must not tell.
@operation("contacts.erase", "DELETE", "/contacts/{location_id}/{contact_id}", about=lambda asked: (asked.location_id,))
def erase(services: AdminServices, asked: ContactQuery) -> Erased:
    """Remove everything kept of a contact; what it has stopped stays stopped, under a digest that names nobody."""
    erased = services.erasures.erase(Lane(LocationId(asked.location_id), ContactId(asked.contact_id)))
    if not erased.records and not erased.stopped:
        raise NotKnown(f"nothing is kept of contact {asked.contact_id} of location {asked.location_id}")
    return Erased(records=erased.records, stopped=erased.stopped)


def _lane(services: AdminServices, asked: ContactQuery) -> Lane:
    if services.locations.get(LocationId(asked.location_id)) is None:
        raise NotKnown(f"location {asked.location_id} is not known; `ghl-bridge locations list` shows the ones that are")
    return Lane(LocationId(asked.location_id), ContactId(asked.contact_id))


def _says_anything(standing: StandingShown) -> bool:
    told = (standing.paused_since, standing.human_spoke_at, standing.tags, standing.dnd, standing.blocked_channels)
    return bool(standing.stopped or standing.replies_within_a_day) or any(one is not None for one in told)
