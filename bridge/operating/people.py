"""People: contacts found by name, number or e-mail address, and the links to their conversations in GHL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from pydantic import Field

from bridge.model import Role
from bridge.operating.operation import operation
from bridge.operating.reach import visible
from bridge.operating.services import AdminServices
from bridge.store.operators.conversation_lists import missing_locations, reached_locations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.model import Lane

MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundContact:
    """A contact that matches a search; `name` is its name, else its number or address."""

    location_id: str
    contact_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundContacts:
    """At most fifty contacts, with the newest message first in each location.

    `missing` are sentences that name the locations whose node of a cluster is missing, which were not searched.
    """

    contacts: tuple[FoundContact, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSearch:
    """Words of a name, all of which must match; or an international number, or an e-mail address. Of one location, or all."""

    q: Annotated[str, Field(min_length=1, max_length=200)]
    location_id: Annotated[str, Field(max_length=64)] = ""


@operation("contacts.find", "GET", "/contacts", role=Role.READ, reach=visible)
def find(services: AdminServices, asked: ContactSearch) -> FoundContacts:
    """Find contacts by name, phone number or e-mail address. None with BRIDGE_CONSOLE_SHOW_TEXT=0."""
    if not services.settings.console_show_text:
        return FoundContacts(contacts=())
    locations = [asked.location_id] if asked.location_id else [*filter(services.sees, reached_locations(services.redis))]
    lanes = services.people.find(asked.q, locations, most=MOST)
    names = names_of(services, lanes)
    return FoundContacts(
        contacts=tuple(
            FoundContact(location_id=lane.location_id, contact_id=lane.contact_id, name=names.get(lane, "")) for lane in lanes
        ),
        missing=missing_locations(services.redis),
    )


def names_of(services: AdminServices, lanes: Sequence[Lane]) -> dict[Lane, str]:
    """The names of these contacts, if known; nothing with BRIDGE_CONSOLE_SHOW_TEXT=0."""
    if not services.settings.console_show_text or services.settings.secret_key is None:
        return {}
    return {lane: person.called for lane, person in services.people.read(lanes).items()}


def ghl_link(services: AdminServices, lane: Lane, conversation_id: str) -> str | None:
    """The address of a conversation in GHL, at the location's own domain if it has one; None if it is not known."""
    record = services.locations.get(lane.location_id) if conversation_id and services.settings.secret_key else None
    if record is None:
        return None
    domain = record.location.app_domain or services.settings.ghl_app_domain
    return f"{domain}/v2/location/{quote(lane.location_id)}/conversations/conversations/{quote(conversation_id)}"
