"""Runs the sweep for missed webhooks on demand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from bridge.errors import NotKnown, OperatorMustFix
from bridge.model import LocationId, Role
from bridge.operating.operation import operation
from bridge.operating.reach import one_location
from bridge.operating.services import AdminServices
from bridge.policy.sweeping import FARTHEST_MS
from bridge.store.redis.connection import now_ms
from bridge.sweep import Span, Taken, span_of, sweep
from bridge.times import iso

MOST_ROUNDS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcile:
    """Which location, and how far back (s); if not given, as far as the next sweep. `dry_run` accepts nothing."""

    location_id: Annotated[str, Field(min_length=1, max_length=64)]
    since_seconds: Annotated[float, Field(gt=0, le=FARTHEST_MS / 1000)] | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedMessage:
    """A message that was found in GHL and is newer than the newest known one.

    `outcome` is accepted, duplicate (it is already known), missing (it would be accepted) or the reason why it is not answered.
    """

    message_id: str
    conversation_id: str
    contact_id: str
    written_at: str | None
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """The result of a sweep. If it is not `complete`, `why` says what stopped it, and the next sweep continues."""

    location_id: str
    found: tuple[MissedMessage, ...]
    complete: bool
    why: str | None


@operation(
    "locations.reconcile",
    "POST",
    "/locations/{location_id}/reconcile",
    about=lambda asked: () if asked.dry_run else (asked.location_id,),
    role=Role.OPERATE,
    reach=one_location,
)
def reconcile(services: AdminServices, asked: Reconcile) -> Reconciled:
    """Find inbound messages in GHL whose webhook never arrived, and accept them."""
    record = services.locations.get(LocationId(asked.location_id))
    if record is None:
        raise NotKnown(f"location {asked.location_id} is not known; `ghl-bridge locations list` shows the known ones")
    span = span_of(record, services.sweeps.of(record.location.location_id))
    if asked.since_seconds:
        span = Span(since_ms=span.now_ms - round(asked.since_seconds * 1000), now_ms=span.now_ms)
    taken: list[Taken] = []
    why = ""
    for _ in range(MOST_ROUNDS):
        try:
            swept = sweep(record, replace(span, dry_run=asked.dry_run, now_ms=now_ms(services.redis)), services.sweep_services)
        except OperatorMustFix as error:
            why = str(error)
            break
        taken += swept.taken
        why, span = swept.why, replace(span, cursor_ms=swept.cursor_ms)
        if why or not swept.cursor_ms:
            break
    found = tuple(map(_missed, taken))
    return Reconciled(location_id=asked.location_id, found=found, complete=not why and not span.cursor_ms, why=why or None)


def _missed(taken: Taken) -> MissedMessage:
    message = taken.message
    return MissedMessage(
        message_id=message.id,
        conversation_id=message.conversation_id,
        contact_id=message.contact_id,
        written_at=iso(message.date_added_ms),
        outcome=taken.outcome,
    )
