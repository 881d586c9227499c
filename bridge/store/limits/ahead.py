"""Look-ups at GHL that a lease reserves in advance: the average number that the location's turns of the same kind make.

If the estimate is wrong, a reservation stays unused, or a look-up needs a separate call to Redis. A reservation counts in the
budget as made at the latest time at which it can be used (parts/permits.lua), so GHL's limit is never exceeded.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.model import LocationId

# A turn begins with its look-ups; reservations that are older are lost.
VALID_SECONDS = 1.0
MOST = 3
# Turns on which the estimate is based; older ones count half.
TURNS = 6
REMEMBERED = 10_000


@dataclass(slots=True)
class _Kind:
    """The number of turns of one kind, and of the look-ups that they made."""

    turns: float = 0.0
    look_ups: float = 0.0

    @property
    def guess(self) -> int:
        return min(MOST, round(self.look_ups / self.turns)) if self.turns else 0

    def begin(self) -> None:
        if self.turns >= TURNS:
            self.turns, self.look_ups = self.turns / 2, self.look_ups / 2
        self.turns += 1


@dataclass(slots=True)
class _Location:
    """Turns whose conversation was never read from GHL, turns whose was, and until when reservations can be used."""

    first: _Kind = field(default_factory=_Kind)
    later: _Kind = field(default_factory=_Kind)
    backfilled: bool = False
    valid_until: deque[float] = field(default_factory=deque)


class LookupsAhead:
    """The reservations of one process; its threads share them."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._locations: dict[LocationId, _Location] = {}
        # The estimate for a location that had no turn here yet; it reserves nothing.
        self._all = _Location()

    def wanted(self, location_id: LocationId) -> tuple[int, int]:
        """The look-ups that a turn is expected to make: if its conversation was never read from GHL, and if it was."""
        with self._lock:
            known = self._locations.get(location_id, self._all)
            left = self._left(known)
            return max(0, known.first.guess - left), max(0, known.later.guess - left)

    def note_reserved(self, location_id: LocationId, count: int, *, backfilled: bool) -> None:
        """Record that a turn has begun with `count` reserved look-ups. `backfilled`: GHL's list of it was read before."""
        with self._lock:
            if len(self._locations) >= REMEMBERED:
                self._locations.clear()
            known = self._locations.setdefault(location_id, _Location())
            known.backfilled = backfilled
            for each in (known, self._all):
                (each.later if backfilled else each.first).begin()
            known.valid_until.extend([self._clock() + VALID_SECONDS] * count)

    def use(self, location_id: LocationId) -> bool:
        """Use one reservation; False if there is none and the look-up needs a permit."""
        with self._lock:
            known = self._locations.get(location_id)
            if known is None:
                return False
            for each in (known, self._all):
                (each.later if known.backfilled else each.first).look_ups += 1
            if not self._left(known):
                return False
            known.valid_until.popleft()
            return True

    def _left(self, known: _Location) -> int:
        while known.valid_until and known.valid_until[0] < self._clock():
            known.valid_until.popleft()
        return len(known.valid_until)
