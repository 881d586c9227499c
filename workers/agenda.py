"""When a dispatcher claims in which partitions: in one with a wake-up or a due lane at once, in all of them from time to time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bridge.store.redis.partitions import PARTITIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bridge.store.lanes.schedule import PartitionClaim

# This long after a due time, a standby dispatcher checks whether the leader has claimed.
STANDBY_SECONDS = 0.5
ALL = tuple(range(PARTITIONS))


class Agenda:
    """The times at which one dispatcher claims."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # The time of the next claim, for partitions where it is known.
        self._due: dict[int, float] = {}
        # The time of the next claim in all partitions.
        self._all_due = clock()
        # A lane waits for a slot. A wake-up of any partition may mean that there is one.
        self._short = False

    def ring(self, partitions: Iterable[int] | None) -> None:
        """There were wake-ups for these partitions; None: there may be one for any."""
        now = self._clock()
        rung = None if partitions is None else tuple(partitions)
        if rung is None or (rung and self._short):
            self._all_due = now
        else:
            self._due |= dict.fromkeys(rung, now)

    def due(self) -> tuple[int, ...]:
        """The partitions to claim in now. All if none is due, because the caller claims anyway."""
        now = self._clock()
        due = tuple(number for number, at in sorted(self._due.items()) if at <= now)
        return ALL if now >= self._all_due or not due else due

    def note(self, looks: Mapping[int, PartitionClaim], *, calm: float, otherwise: float) -> None:
        """Record a claim's results. The next claim in all is after `calm` seconds, or after `otherwise` if one isn't calm."""
        now = self._clock()
        if len(looks) == PARTITIONS:
            self._all_due, self._short = now + calm, False
        if not all(look.calm for look in looks.values()):
            self._all_due, self._short = min(self._all_due, now + otherwise), True
        for number, look in looks.items():
            self._due.pop(number, None)
            if look.next_due is not None:
                self._due[number] = now + look.next_due + (0.0 if look.leads or not look.next_due else STANDBY_SECONDS)

    def wait(self) -> float:
        """Seconds until the next claim is useful; 0: at once."""
        return max(0.0, min((self._all_due, *self._due.values())) - self._clock())
