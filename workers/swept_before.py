"""A worker's memory of its sweeps: after a FLUSHALL the state has every location as a new one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.model import LocationId
    from bridge.store.locations.records import LocationRecord
    from bridge.store.locations.sweeps import DueSweep, Progress
    from bridge.sweep import Span


@dataclass(frozen=True, slots=True)
class _Known:
    """When a location was first applied, by the state of that time, and until when its messages are known (ms)."""

    activated_at_ms: int
    since_ms: int


class SweptBefore:
    """The sweeps of one worker."""

    def __init__(self) -> None:
        self._known: dict[LocationId, _Known] = {}

    def note(self, kept: LocationRecord, progress: Progress) -> None:
        """Record that a sweep of the location is complete."""
        self._known[kept.location.location_id] = _Known(kept.activated_at_ms, progress.since_ms)

    def widened(self, span: Span, kept: LocationRecord, due: DueSweep) -> Span:
        """The span, extended to this worker's own last sweep if the state lost writes since and the location was applied again.

        Without a loss, a location that was removed and applied again is a new one, and its old messages stay unanswered.
        """
        known = self._known.get(kept.location.location_id)
        lost_ms = due.lost_writes_at_ms
        if (
            known is None
            or not known.since_ms <= lost_ms <= kept.activated_at_ms
            or known.activated_at_ms >= kept.activated_at_ms
        ):
            return span
        oldest_ms = due.now_ms - round(kept.location.max_age_seconds * 1000)
        return replace(span, since_ms=min(span.since_ms, max(known.since_ms, oldest_ms)))
