"""A rollback of the state: which turns must look into GHL first, when, and which of their messages are answered there. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.policy.authors import Author, author

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from bridge.model import InboundMessage, Listed, MessageId, Rollback

# A post in progress may have arrived this much later, and GHL's clock may be ahead (parts/rollback.lua).
UNDER_WAY_MS = 20_000


def must_look(
    rollback: Rollback, *, looked_ms: int, looked_for_turn_ms: int, began_ms: int, messages: Iterable[InboundMessage]
) -> bool:
    """Whether a turn must look into GHL before it acts: once for each older lane, and once for each turn with older messages.

    `looked_ms` is the rollback after which the lane has looked, `looked_for_turn_ms` the same of this turn (ms; 0: none);
    `began_ms` is the lane's oldest known event. If writes are certainly lost, a lane without one may be older, too.
    """
    if looked_for_turn_ms == rollback.at_ms:
        return False
    if any(0 < message.date_added_ms < rollback.at_ms + UNDER_WAY_MS for message in messages):
        return True
    return looked_ms != rollback.at_ms and (rollback.certain or 0 < began_ms < rollback.at_ms)


def looks_at(rollback: Rollback, readback: Sequence[float]) -> float:
    """The time (ms) from which on GHL's list shows earlier posts: after the first wait; after all if writes are surely lost."""
    return rollback.at_ms + sum(readback if rollback.certain else readback[:1]) * 1000


def forgotten_replies(rows: Iterable[Listed], *, since_ms: int, until_ms: int, ours: Collection[MessageId]) -> tuple[Listed, ...]:
    """Outbound texts after `since_ms` that the state does not know, and that no user and no automation wrote (GHL's clock)."""
    return tuple(
        row
        for row in rows
        if row.direction == "outbound"
        and not row.user_id
        and row.id not in ours
        and since_ms < row.date_added_ms < until_ms
        and author(type_=row.type, source=row.source, call_seconds=row.call_seconds) is Author.PERSON
    )


def answered_by(messages: Iterable[InboundMessage], replies: Sequence[Listed]) -> tuple[InboundMessage, ...]:
    """The messages after which there is a reply in GHL."""
    newest = max((row.date_added_ms for row in replies), default=0)
    return tuple(message for message in messages if 0 < message.date_added_ms < newest)
