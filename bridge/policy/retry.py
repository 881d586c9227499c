"""What to do after a fault of a turn: retry it and after which delay, or write a dead letter.

The delays are `retry_delays` of bridge/settings.py (BRIDGE_RETRY_DELAYS). Retries within seconds: bridge/wire/backoff.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import (
    BudgetExhausted,
    NotConfirmed,
    OutcomeUnknown,
    Permanent,
    Retryable,
    TokenRefused,
    VersionRefused,
    shortage_of,
)
from bridge.model import Again, Dead, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_UNFINISHED_LEASES = 10
# This many requested waits in a row may be shorter than those of the schedule.
MOST_SHORT_WAITS = 3
# Descriptors, memory and threads are free again when other turns end, and a restarted replica is back within seconds.
SHORTAGE_SECONDS = 5.0


def is_sorted(error: Exception) -> bool:
    """Whether the fault is one of a known kind, and not an internal one."""
    return isinstance(error, (Retryable, OutcomeUnknown, Permanent, NotConfirmed))


def words(error: Exception) -> str:
    """The fault's text that may be stored and shown: only the type of an internal fault, whose text may contain anything."""
    return str(error) if is_sorted(error) else f"internal fault: {type(error).__name__}"


def decide(
    error: Exception, *, attempts: int, delays: Sequence[float], readback: Sequence[float], looks: int = 0
) -> Again | Dead:
    """Decide what follows an error. `attempts` have failed before this one, `delays` are the waits between attempts (s).

    A wait that the service asked for replaces the scheduled one, but does not change the number of attempts; a service that keeps
    asking for a short wait is not believed for ever, because all attempts would fail within seconds. After an unknown outcome,
    the first read-back is due after `readback[0]` seconds, even after the last attempt: its result decides. An internal error is
    retried too, because that does no harm. Waiting for GHL's rate limit, for this machine's resources or for a replica does not
    count as an attempt, because the message is not the cause. Earlier `looks` (read-backs) still count after such a wait.
    """
    if lacking := str(error) if isinstance(error, NotConfirmed) else shortage_of(error):
        return Again(wait=SHORTAGE_SECONDS, why=lacking, counts=False)
    why = words(error)
    if isinstance(error, BudgetExhausted):
        return Again(wait=0, why=why, counts=False, looks=looks, in_place=True, status=Status.WAITING)
    if isinstance(error, Permanent):
        refused = error.side if isinstance(error, TokenRefused) else "version" if isinstance(error, VersionRefused) else ""
        return Dead(error=why, refused=refused, outcome_unknown=error.outcome_unknown)
    unknown = isinstance(error, OutcomeUnknown)
    if unknown and attempts <= len(delays):
        return Again(wait=readback[0] if readback else 0, why=f"outcome unknown: {why}")
    if attempts >= len(delays):
        return Dead(error=f"outcome unknown: {why}" if unknown else why, outcome_unknown=unknown)
    asked = error.retry_after if isinstance(error, Retryable) else None
    least = delays[attempts] if asked is None or attempts >= MOST_SHORT_WAITS else 0.0
    return Again(wait=max(asked or 0.0, least), why=why)
