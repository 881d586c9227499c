"""How late GHL lists what it has: measured by messages that are known to be there. Pure.

A send of unknown outcome counts as absent only if it isn't listed when it would be. GHL documents no bound, so each look at a
conversation is held against the messages of it that are known: the contact's own, and our own posts that GHL has confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bridge.model import MessageId

# Looks wait for so many times what was measured: with GHL's events, which tell of most posts anyway, and without.
WITH_EVENTS, WITHOUT_EVENTS = 2, 3
# What isn't listed for so long is no matter of waiting.
LONGEST_MS = 300_000


@dataclass(frozen=True, slots=True)
class ListLag:
    """What is known of a location's lag (ms).

    A message was missing from the list at the age `missing`, and one was listed at the age `listed`; 0: never. The lag lies
    between them.
    """

    missing: int = 0
    listed: int = 0

    @property
    def ms(self) -> int:
        """The longest that it may be, as far as it was measured; 0: nothing was ever missing."""
        return max(self.missing, self.listed) if self.missing else 0


def measure(known: Mapping[MessageId, int], listed: Collection[MessageId], *, now_ms: int) -> ListLag:
    """Hold one look against the messages that are known, by when they were written (ms)."""
    ages = {id_: max(1, now_ms - at) for id_, at in known.items() if now_ms - at <= 2 * LONGEST_MS}
    missing = max((age for id_, age in ages.items() if id_ not in listed), default=0)
    return ListLag(missing, min((age for id_, age in ages.items() if id_ in listed and age >= missing), default=0))


def merge(before: ListLag, now: ListLag) -> ListLag:
    """What is known after one more look."""
    missing = max(before.missing, now.missing)
    listed = [age for age in (before.listed, now.listed) if age >= missing and age]
    return ListLag(missing, min(listed, default=0))


def wait_before_belief(lag: ListLag, *, age_ms: int, hears_events: bool) -> float:
    """Seconds for which an absence is not believed yet, of an attempt that is so old."""
    return max(0.0, lag.ms * (WITH_EVENTS if hears_events else WITHOUT_EVENTS) - age_ms) / 1000
