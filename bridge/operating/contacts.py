"""Contacts: show their opt-outs, lift them, or erase all their data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bridge.errors import NotKnown
from bridge.model import ContactId, ConversationId, Lane, LocationId, Role
from bridge.operating.operation import operation
from bridge.operating.reach import contact
from bridge.operating.services import AdminServices
from bridge.operating.standing import StandingShown, shown
from bridge.times import iso

# The characters of GHL's ids; a lane's key has a colon between the two.
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactShown:
    """A contact's state, without its messages; `conversation_id` is empty if none is known.

    `stopped_before_erasure` names the channels with an opt-out at the time of the erasure; it applies again with the next
    message.
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
    """The channels whose opt-out was lifted."""

    location_id: str
    contact_id: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How many records were removed, and the channels whose opt-outs still apply, stored under a keyed hash."""

    records: int
    stopped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContactQuery:
    """Which contact of which location."""

    location_id: Id
    contact_id: Id


@operation("contacts.show", "GET", "/contacts/{location_id}/{contact_id}", role=Role.READ, reach=contact)
def show(services: AdminServices, asked: ContactQuery) -> ContactShown:
    """Show a contact's opt-outs and state."""
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
    role=Role.OPERATE,
    reach=contact,
)
def allow(services: AdminServices, asked: ContactQuery) -> Allowed:
    """Lift a contact's opt-outs on every channel, as if it had written START."""
    lane = _lane(services, asked)
    channels = {*services.standings.allow(lane), *services.erasures.allow(lane)}
    return Allowed(location_id=asked.location_id, contact_id=asked.contact_id, channels=tuple(sorted(channels)))


# The audit log must not contain the contact's id.
@operation(
    "contacts.erase",
    "DELETE",
    "/contacts/{location_id}/{contact_id}",
    about=lambda asked: (asked.location_id,),
    role=Role.ADMIN,
    reach=contact,
)
def erase(services: AdminServices, asked: ContactQuery) -> Erased:
    """Erase all data of a contact; its opt-outs still apply, stored under a keyed hash."""
    erased = services.erasures.erase(Lane(LocationId(asked.location_id), ContactId(asked.contact_id)))
    if not erased.records and not erased.stopped:
        raise NotKnown(f"there is no data of contact {asked.contact_id} of location {asked.location_id}")
    return Erased(records=erased.records, stopped=erased.stopped)


def _lane(services: AdminServices, asked: ContactQuery) -> Lane:
    if services.locations.get(LocationId(asked.location_id)) is None:
        raise NotKnown(f"location {asked.location_id} is not known; `ghl-bridge locations list` shows the known ones")
    return Lane(LocationId(asked.location_id), ContactId(asked.contact_id))


def _says_anything(standing: StandingShown) -> bool:
    reported = (standing.paused_since, standing.human_spoke_at, standing.tags, standing.dnd, standing.blocked_channels)
    return bool(standing.stopped or standing.replies_within_a_day) or any(one is not None for one in reported)
