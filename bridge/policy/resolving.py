"""Finds the message in GHL's list that a webhook describes without an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.policy.normalise import same

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.model import InboundMessage, Listed

# A workflow reports a message within seconds. An older match may be another message, while GHL doesn't list the right one yet.
FRESH_MS = 20_000
# By then GHL lists the reported message.
LISTED_MS = 8_000
# GHL's `Date`, which gives its clock, has whole seconds.
SLACK_MS = 2_000


def find(message: InboundMessage, listed: Iterable[Listed], *, came_ms: int) -> Listed | None:
    """The newest inbound message with the same words that is not newer than the webhook, preferably on the same channel.

    `came_ms` is when the webhook arrived by GHL's clock; 0: unknown, then any time matches.
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
    """Whether another read can't find a better match; both times are by GHL's clock (ms)."""
    fresh = found is not None and found.date_added_ms >= came_ms - FRESH_MS
    return fresh or now_ms >= came_ms + LISTED_MS
