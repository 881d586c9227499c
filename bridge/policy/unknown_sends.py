"""Decides from GHL's conversation whether a send of unknown outcome arrived. Pure.

It answers two questions: when the next read-back is due, and what a read-back proves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.policy.authors import AUTOMATIONS, Author, author
from bridge.policy.normalise import same

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from bridge.model import Listed, MessageId, Window


@dataclass(frozen=True, slots=True)
class Present:
    """The message is in GHL, under this id."""

    id: MessageId


@dataclass(frozen=True, slots=True)
class Absent:
    """The message is proven absent."""


@dataclass(frozen=True, slots=True)
class Unproven:
    """Neither is proven, with the reason."""

    why: str


def wait_before_look(*, looks: int, since_ms: int, now_ms: int, readback: Sequence[float]) -> float | None:
    """Seconds until read-back number `looks` (0 is the first) is due; None if all are done.

    `readback` are the waits before each read-back, one after the other, starting at the attempt (`since_ms`).
    """
    if looks >= len(readback):
        return None
    due = since_ms + sum(readback[: looks + 1]) * 1000
    return max(0.0, (due - now_ms) / 1000)


def find_post(window: Window, *, text: str, claimed: str, ours: Collection[MessageId]) -> Present | Absent | Unproven:
    """Search for our message by its text, or for a provider's claimed message by its id.

    `window` begins at the attempt. `ours` are ids that already belong to other parts: each id belongs to one part.
    """
    mine = [message for message in _machine_made(window.messages) if message.id not in ours]
    for message in mine:
        if (claimed and message.id == claimed) or (text and same(message.text, text)):
            return Present(message.id)
    return _absence(window, mine)


def find_delivery(window: Window, *, ours: Collection[MessageId]) -> Present | Absent | Unproven:
    """Search for a provider's possible delivery: one message since the question without a known author, and not ours.

    A person's or an automation's message without `userId` and `source` looks the same, and counts as the delivery, because a
    doubled answer would be worse.
    """
    mine = [message for message in _machine_made(window.messages) if message.id not in ours and _is_seen(message)]
    if mine:
        return Present(mine[-1].id)
    return _absence(window, mine)


def _machine_made(listed: Iterable[Listed]) -> list[Listed]:
    """Whether a row is outbound, and not from a user or an automation of GHL."""
    return [
        message
        for message in listed
        if message.direction == "outbound" and not message.user_id and message.source not in AUTOMATIONS
    ]


def _is_seen(message: Listed) -> bool:
    """Whether the contact can read the row: a comment, an activity (a booked appointment) or a call is not an answer."""
    return author(type_=message.type, source=message.source) in {Author.PERSON, Author.AUTOMATION}


def _absence(window: Window, unexplained: Sequence[Listed]) -> Absent | Unproven:
    if not window.complete:
        return Unproven("the conversation is too long to be read back to the attempt")
    if unexplained:
        return Unproven("an outbound message since the attempt can't be explained")
    return Absent()
