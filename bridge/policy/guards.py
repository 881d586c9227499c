"""May this message be answered? Asked before a completion is paid for and once more right before each post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.model import Channel, Reason, Skip
from bridge.policy.auto_reply import judge_auto_reply
from bridge.policy.hours import ALWAYS, closed_ms
from bridge.policy.reactions import is_reaction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.locations import Location
    from bridge.model import Contact, InboundMessage
    from bridge.policy.hours import Hours


def judge_message(message: InboundMessage, location: Location, *, age_seconds: float, paused: bool = False) -> Skip | None:
    """Judge one message by itself: pause, mode, channel, who wrote it, text, age. None: nothing speaks against it."""
    skip = _judge_place(message, location, paused=paused) or judge_auto_reply(message) or _judge_text(message)
    if skip is None and age_seconds > location.max_age_seconds:
        return Skip(Reason.TOO_OLD, f"{age_seconds:.0f} s old, max_age_seconds = {location.max_age_seconds:.0f}")
    return skip


def _judge_place(message: InboundMessage, location: Location, *, paused: bool) -> Skip | None:
    if paused:
        return Skip(Reason.LOCATION_PAUSED, "paused by an operator")
    if location.mode == "off":
        return Skip(Reason.LOCATION_PAUSED, "mode = off")
    if message.channel not in location.channels or message.channel is Channel.GMB:
        return Skip(Reason.CHANNEL_OFF, f"{message.channel} is not among channels, or can't be sent to")
    return None


def _judge_text(message: InboundMessage) -> Skip | None:
    if not message.text.strip():
        return Skip(Reason.BLANK, f"no text, {len(message.attachments)} attachments")
    if is_reaction(message.text):
        return Skip(Reason.BLANK, "nothing but a reaction to a message")
    return None


def age_of(message: InboundMessage, *, now_ms: int, held: tuple[int, int] = (0, 0), hours: Hours = ALWAYS) -> float:
    """A message's age in seconds by its own `dateAdded`; 0 when it has no date.

    The time of a hold (from, until; ms) doesn't count, nor does the time in which the location was closed.
    """
    added = message.date_added_ms
    if not added:
        return 0.0
    since, until = max(held[0], added), min(held[1], now_ms)
    overlap = max(0, until - since)
    closed = closed_ms(hours, added, now_ms) - closed_ms(hours, since, until)
    return (now_ms - added - overlap - closed) / 1000


def judge_contact(contact: Contact, channel: Channel, location: Location) -> Skip | None:
    """Judge the contact: do not disturb, tags. Tags compare without regard to case, as GHL keeps them in lower case."""
    if contact.dnd:
        return Skip(Reason.DND, "dnd is on for the contact")
    if channel in contact.blocked_channels:
        return Skip(Reason.DND, f"dndSettings block {channel}")
    tags = _folded(contact.tags)
    if off := _folded(location.off_tags) & tags:
        return Skip(Reason.OFF_TAG, f"has {', '.join(sorted(off))}")
    if missing := _folded(location.required_tags) - tags:
        return Skip(Reason.MISSING_TAG, f"lacks {', '.join(sorted(missing))}")
    return None


def needs_contact(location: Location) -> bool:
    """Whether GHL has to be asked about the contact. Required tags can't be known otherwise, whatever `contact_lookup` says."""
    return location.contact_lookup or bool(location.required_tags)


def _folded(tags: Iterable[str]) -> frozenset[str]:
    return frozenset(tag.strip().casefold() for tag in tags)
