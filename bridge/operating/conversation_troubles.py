"""Problems of single conversations: reply limits, undelivered replies, unknown message types, spoken stops, handovers. Pure."""

from __future__ import annotations

from collections import Counter
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


def spoken_stops(symptoms: Symptoms) -> Iterator[Trouble]:
    """Contacts that opted out by voice note. A speech engine makes mistakes, so a person should listen to it."""
    for lane in symptoms.spoken_stops:
        location, _, contact = lane.partition(":")
        yield Trouble(
            cause=f"spoken_stop:{lane}",
            name="Opt-out by voice note",
            says=f"Contact {contact} of location {location} opted out by voice note. Check it in GHL: speech engines err.",
            command=f"ghl-bridge explain {contact}",
            location_id=location,
        )


def other_bots(symptoms: Symptoms) -> Iterator[Trouble]:
    """Locations in which GHL's own bot answers the same contacts."""
    lanes = Counter(lane.partition(":")[0] for lane in symptoms.other_bot)
    for location, count in sorted(lanes.items()):
        where = counted(count, "conversation", "conversations")
        yield Trouble(
            cause=f"other_bot:{location}",
            name="Another bot answers",
            says=f"Location {location}: GHL's own bot was first in {where} of the last day. Turn one of the two off.",
            command=f"ghl-bridge doctor --location {location}",
            location_id=location,
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
