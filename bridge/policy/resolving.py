"""Which of the messages that GHL lists is the one that a webhook described without its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.policy.normalise import same

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.model import InboundMessage, Listed

# A workflow tells of a message within seconds. What fits but is older may stand in for one that GHL doesn't list yet.
FRESH_MS = 20_000
# By then GHL lists what it has told of.
LISTED_MS = 8_000
# GHL's `Date`, by which its clock is known, has whole seconds.
SLACK_MS = 2_000


def find(message: InboundMessage, listed: Iterable[Listed], *, came_ms: int) -> Listed | None:
    """The newest inbound message of the same words that is no newer than the webhook, by its own channel if one is.

    `came_ms` is when the webhook came by the clock of those who list; 0: not known, then any time will do.
    """
    fits = [
        one
        for one in listed
        if one.direction == "inbound"
        and (not came_ms or one.date_added_ms <= came_ms + SLACK_MS)
        and same(one.text, message.text)
    ]
    same_channel = [one for one in fits if one.type == message.message_type_string]
    return max(same_channel or fits, key=lambda one: one.date_added_ms, default=None)


def is_settled(found: Listed | None, *, came_ms: int, now_ms: int) -> bool:
    """Whether another look can't find a better one; both times by the clock of those who list."""
    fresh = found is not None and found.date_added_ms >= came_ms - FRESH_MS
    return fresh or now_ms >= came_ms + LISTED_MS
