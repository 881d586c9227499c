"""How late GHL lists messages, measured with known messages. Pure.

A send of unknown outcome counts as absent only if GHL would already have listed it. GHL documents no limit, so each list of a
conversation is compared with its known messages: the contact's, and our posts that GHL has confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bridge.model import MessageId

# The wait as a multiple of the measured lag: with GHL's events, which report most posts anyway, and without.
WITH_EVENTS, WITHOUT_EVENTS = 2, 3
# If a known message is missing for this long, waiting doesn't help.
LONGEST_MS = 300_000


@dataclass(frozen=True, slots=True)
class ListLag:
    """The measured lag of a location (ms).

    A message was missing from the list at the age `missing`, and one was listed at the age `listed`; 0: never. The lag is between
    them.
    """

    missing: int = 0
    listed: int = 0

    @property
    def ms(self) -> int:
        """The longest possible lag according to the measurements; 0: no message was ever missing."""
        return max(self.missing, self.listed) if self.missing else 0


def measure(known: Mapping[MessageId, int], listed: Collection[MessageId], *, now_ms: int, oldest_ms: int = 0) -> ListLag:
    """Compare one list with the known messages and their times (ms).

    A page is no evidence about messages before its oldest one (`oldest_ms`).
    """
    ages = {id_: max(1, now_ms - at) for id_, at in known.items() if now_ms - at <= 2 * LONGEST_MS and at >= oldest_ms}
    missing = max((age for id_, age in ages.items() if id_ not in listed), default=0)
    return ListLag(missing, min((age for id_, age in ages.items() if id_ in listed and age >= missing), default=0))


def newest(known: Mapping[MessageId, int], *, of: int) -> dict[MessageId, int]:
    """The known messages, oldest first, that a page of so many rows shows if it is up to date, whatever their times say.

    A clock that jumped makes an older message look newer than it is. Half of the rows may be of others.
    """
    return dict(list(known.items())[-(of // 2) :]) if of > 1 else {}


def merge(before: ListLag, now: ListLag) -> ListLag:
    """Combine the stored lag with a new measurement."""
    missing = max(before.missing, now.missing)
    listed = [age for age in (before.listed, now.listed) if age >= missing and age]
    return ListLag(missing, min(listed, default=0))


def wait_before_belief(lag: ListLag, *, age_ms: int, hears_events: bool) -> float:
    """Seconds to wait before an attempt of this age counts as absent."""
    return max(0.0, lag.ms * (WITH_EVENTS if hears_events else WITHOUT_EVENTS) - age_ms) / 1000
