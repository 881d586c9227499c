"""Did a send arrive whose answer never came? Decided by what GHL's conversation shows.

Two questions, both pure: when to look next, and what does the look prove.
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
    """It is there, under this id."""

    id: MessageId


@dataclass(frozen=True, slots=True)
class Absent:
    """It is proven not to be there."""


@dataclass(frozen=True, slots=True)
class Unproven:
    """Neither: why not."""

    why: str


def wait_before_look(*, looks: int, since_ms: int, now_ms: int, readback: Sequence[float]) -> float | None:
    """Seconds until look number `looks` (0 is the first) is due; None when all looks are done.

    `readback` are the waits before each look, counted from the attempt at `since_ms`, one after the other.
    """
    if looks >= len(readback):
        return None
    due = since_ms + sum(readback[: looks + 1]) * 1000
    return max(0.0, (due - now_ms) / 1000)


def find_post(window: Window, *, text: str, claimed: str, ours: Collection[MessageId]) -> Present | Absent | Unproven:
    """Look for a message of ours by its text, or for one that a provider claims by its id.

    `window` begins at the attempt. `ours` are ids that are settled already: one id settles one part.
    """
    mine = [message for message in _machine_made(window.messages) if message.id not in ours]
    for message in mine:
        if (claimed and message.id == claimed) or (text and same(message.text, text)):
            return Present(message.id)
    return _absence(window, mine)


def find_delivery(window: Window, *, ours: Collection[MessageId]) -> Present | Absent | Unproven:
    """Look for what a provider may have delivered unheard: one message of nobody's, not ours, since it was asked.

    A person's or an automation's without `userId` and `source` looks the same, and is taken for it: a doubled answer is worse.
    """
    mine = [message for message in _machine_made(window.messages) if message.id not in ours and _is_seen(message)]
    if mine:
        return Present(mine[-1].id)
    return _absence(window, mine)


def _machine_made(listed: Iterable[Listed]) -> list[Listed]:
    """Outbound, by no user and no automation of GHL's."""
    return [
        message
        for message in listed
        if message.direction == "outbound" and not message.user_id and message.source not in AUTOMATIONS
    ]


def _is_seen(message: Listed) -> bool:
    """Whether the contact reads it: a comment, an activity (an appointment that was booked) or a call is not an answer."""
    return author(type_=message.type, source=message.source) in {Author.PERSON, Author.AUTOMATION}


def _absence(window: Window, unexplained: Sequence[Listed]) -> Absent | Unproven:
    if not window.complete:
        return Unproven("the conversation is too long to be read back to the attempt")
    if unexplained:
        return Unproven("an outbound message since the attempt can't be explained")
    return Absent()
