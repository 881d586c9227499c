"""The results of the scripts that write for a turn. `parts/results.lua` has the same names and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.model import LedgerEntry, Situation
    from bridge.store.limits.circuits import CircuitState


class StepResult(IntEnum):
    """The first result of `record.lua`; `parts/results.lua` has the same names. Unless it is `WRITTEN`, nothing was written."""

    # The lease was lost, or is too short for the step.
    LOST = 0
    WRITTEN = 1
    # A newer message of the same line has arrived.
    NEWER = 2
    # The contact's standing has changed since it was read.
    CHANGED = 3
    # A part is in GHL already.
    THERE = 4
    # The provider's circuit is open.
    SHUT = 5
    # GHL's rate limit does not allow the request.
    NO_ROOM = 6


class ReleaseResult(IntEnum):
    """The result of `release.lua`; `parts/results.lua` has the same names."""

    LOST = 0
    WRITTEN = 1
    # The location is on hold, and the turn waits for the end of the hold.
    HELD = 2


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a provider may be asked.

    `asked_at` and `held_until` are this process' clock (s): before the question, and when the lease ends unless it is renewed.
    """

    circuit: CircuitState
    asked_at: float
    held_until: float


@dataclass(frozen=True, slots=True)
class StateAfterStep:
    """The state after a step: the situation for the guards, and the turn's ledger with GHL's reports in the meantime."""

    situation: Situation
    ledger: Mapping[str, LedgerEntry]
