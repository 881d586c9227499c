"""Which messages of a conversation are unanswered, and how far back a sweep looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from bridge.policy.authors import Author, author

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.model import Listed

T = TypeVar("T")

DAY_MS = 24 * 3600 * 1000
# Message ids are stored for seven days: an older message could not be distinguished from a new one.
FARTHEST_MS = 6 * DAY_MS


def horizon_ms(*, now_ms: int, activated_ms: int, since_ms: int, max_age_seconds: float) -> int:
    """The time (ms) back to which a sweep reads: the last sweep's, the location's activation, or the maximum age."""
    return max(activated_ms, since_ms, now_ms - round(max_age_seconds * 1000), now_ms - FARTHEST_MS)


def unanswered(rows: Iterable[tuple[Listed, T]], *, since_ms: int) -> tuple[tuple[Listed, T], ...]:
    """The contact's unanswered messages newer than `since_ms`, oldest first; `rows` are newest first.

    A message of a person or of the bridge, or an answered call, answers all messages before it; an automation's message doesn't.
    A row without a readable time doesn't count as newer.
    """
    found: list[tuple[Listed, T]] = []
    for listed, row in rows:
        if not listed.date_added_ms:
            continue
        if listed.date_added_ms <= since_ms:
            break
        if listed.direction == "inbound":
            found.append((listed, row))
        elif author(type_=listed.type, source=listed.source, call_seconds=listed.call_seconds) in {Author.PERSON, Author.CALL}:
            break
    return tuple(reversed(found))
