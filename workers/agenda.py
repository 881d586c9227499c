"""When a dispatcher looks at which partitions: at those that rang or whose lanes become due, and at all once in a while."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bridge.store.redis.partitions import PARTITIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bridge.store.lanes.claims import PartitionClaim

# This long after a due time, a standby dispatcher checks whether the leader has claimed.
STANDBY_SECONDS = 0.5
ALL = tuple(range(PARTITIONS))


class Agenda:
    """The moments at which one dispatcher claims."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Of those partitions whose next moment is known.
        self._due: dict[int, float] = {}
        # When all are looked at.
        self._all_due = clock()
        # A partition that rang may tell of a slot that a lane of another one waits for.
        self._short = False

    def ring(self, partitions: Iterable[int] | None) -> None:
        """These have rung; None: any may have."""
        now = self._clock()
        rung = None if partitions is None else tuple(partitions)
        if rung is None or (rung and self._short):
            self._all_due = now
        else:
            self._due |= dict.fromkeys(rung, now)

    def due(self) -> tuple[int, ...]:
        """The partitions to look at now. All if none is due: everyone who asks wants to know."""
        now = self._clock()
        due = tuple(number for number, at in sorted(self._due.items()) if at <= now)
        return ALL if now >= self._all_due or not due else due

    def note(self, looks: Mapping[int, PartitionClaim], *, calm: float, otherwise: float) -> None:
        """What a claim found. All are looked at again after `calm` seconds, or after `otherwise` if one of these isn't calm."""
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
