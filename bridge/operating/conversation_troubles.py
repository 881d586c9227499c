"""Problems of single conversations: reply limits, undelivered replies, unknown message types, handovers. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.operating.trouble import Trouble, counted
from bridge.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.store.operators.symptoms import Symptoms


# A few contacts have numbers that are out of service. Many undelivered replies mean that carriers block the sender's number.
LEAST_UNDELIVERED = 5
LEAST_UNDELIVERED_SHARE = 0.2


def reply_caps(symptoms: Symptoms) -> Iterator[Trouble]:
    """Conversations that reached their reply limit."""
    if symptoms.capped:
        location, _, contact = symptoms.capped[0].partition(":")
        count = len(symptoms.capped)
        yield Trouble(
            cause="reply_cap",
            name="Reply limit reached",
            says=f"{counted(count, 'conversation has', 'conversations have')} reached max_replies_per_day within the last hour.",
            command=f"ghl-bridge explain {contact}",
            location_id=location if count == 1 else "",
        )


def undelivered(symptoms: Symptoms) -> Iterator[Trouble]:
    """Locations whose replies do not reach their contacts."""
    for location, one in symptoms.failing.items():
        if one.undelivered >= LEAST_UNDELIVERED and one.share >= LEAST_UNDELIVERED_SHARE:
            yield Trouble(
                cause=f"undelivered:{location}",
                name="Replies undelivered",
                says=f"Location {location}: {one.undelivered:,} replies of the last hour did not reach their contacts, "
                f"{one.share:.0%} of the replies that GHL accepted.",
                command=f"ghl-bridge conversations undelivered --location {location}",
                location_id=location,
            )


def unknown_types(symptoms: Symptoms) -> Iterator[Trouble]:
    """Conversations with a message of an unknown type."""
    if symptoms.untyped:
        location, _, contact = symptoms.untyped[0].partition(":")
        count = len(symptoms.untyped)
        yield Trouble(
            cause="unknown_type",
            name="Unknown message type",
            says=f"{counted(count, 'conversation has', 'conversations have')} a message of an unknown type.",
            command=f"ghl-bridge explain {contact}",
            location_id=location if count == 1 else "",
        )


def handovers(symptoms: Symptoms) -> Iterator[Trouble]:
    """Contacts that wait for a person, because the agent asked for one."""
    for one in symptoms.handovers:
        contact, location = one.lane.contact_id, one.lane.location_id
        yield Trouble(
            cause=f"handover:{one.lane}",
            name="Handover requested",
            says=f"The AI agent of location {location} asks for a person to continue with contact {contact}.",
            command=f"ghl-bridge explain {contact}",
            since=iso(one.at_ms),
            location_id=location,
        )
