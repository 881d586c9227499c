"""Which messages of a conversation are unanswered, and how far back a sweep looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from bridge.policy.authors import Author, author

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.model import Listed

T = TypeVar("T")

DAY_MS = 24 * 3600 * 1000
# Ids of messages are remembered for seven days: what is older could not be told from new.
FARTHEST_MS = 6 * DAY_MS


def horizon_ms(*, now_ms: int, activated_ms: int, since_ms: int, max_age_seconds: float) -> int:
    """The moment up to which a sweep looks back: what was looked at before, the location's activation, or the oldest worth it."""
    return max(activated_ms, since_ms, now_ms - round(max_age_seconds * 1000), now_ms - FARTHEST_MS)


def unanswered(rows: Iterable[tuple[Listed, T]], *, since_ms: int) -> tuple[tuple[Listed, T], ...]:
    """The contact's messages newer than `since_ms` to which nobody wrote anything, oldest first; `rows` are newest first.

    Words of a person, or of the bridge itself, answer what stands before them, and so does a call that was talked; an
    automation's don't. A row without a readable time can't be proven to be newer than anything.
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
