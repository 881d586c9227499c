"""Which locations a question is about, so that an operator of some locations gets answers only about these.

An operation's reach names the locations of its question; None means the whole installation, which only an operator of all
locations may ask about. An unknown id counts as one of another location. A list has a location in its question, or none: then it
omits what the operator may not see (`AdminServices.sees`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from bridge.store.figures.deliveries import undelivered

if TYPE_CHECKING:
    from bridge.operating.services import AdminServices

    Reach = Callable[[AdminServices, Any], Collection[str] | None]

# No location has this id.
NOWHERE = ""


def everywhere(services: AdminServices, asked: Any) -> None:
    """The whole installation."""
    del services, asked


def one_location(services: AdminServices, asked: Any) -> Collection[str] | None:
    """The location of the question; without one the whole installation."""
    del services
    return (asked.location_id,) if asked.location_id else None


def visible(services: AdminServices, asked: Any) -> Collection[str]:
    """For a list: the requested location, or all that the operator may see."""
    del services
    only = getattr(asked, "location_id", "") or getattr(asked, "location", "")
    return (only,) if only else ()


def applied(services: AdminServices, asked: Any) -> Collection[str] | None:
    """The locations of a file; a file that removes all others is about the whole installation."""
    del services
    return None if asked.prune else tuple(asked.locations)


def known_id(services: AdminServices, asked: Any) -> Collection[str]:
    """The location of a message, conversation, contact or reply."""
    return (_location_of(services, asked.id),)


def contact(services: AdminServices, asked: Any) -> Collection[str]:
    """The location of the question, and the contact's own location, if known."""
    return tuple({asked.location_id, _location_of(services, asked.contact_id) or asked.location_id})


def dead_letter(services: AdminServices, asked: Any) -> Collection[str]:
    """The location of one open dead letter, or of its turn."""
    return _dead_letters(services, (asked.id,))


def dead_letters(services: AdminServices, asked: Any) -> Collection[str]:
    """The locations of some open dead letters."""
    return _dead_letters(services, asked.ids)


def undelivered_replies(services: AdminServices, asked: Any) -> Collection[str]:
    """The locations of some undelivered replies."""
    known = {one.reply_id: one.lane.location_id for one in undelivered(services.redis)}
    return {known.get(id_, NOWHERE) for id_ in asked.ids}


def _location_of(services: AdminServices, id_: str) -> str:
    timeline = services.timelines.find(id_)
    return timeline.lane.location_id if timeline else NOWHERE


def _dead_letters(services: AdminServices, ids: Collection[str]) -> set[str]:
    found = (services.dead_letters.get(id_) for id_ in ids)
    return {one.lane.location_id if one else NOWHERE for one in found}
