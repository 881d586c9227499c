"""The result of a step of a turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bridge.errors import Fenced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.model import Turn
    from bridge.store.limits.circuits import CircuitState


@dataclass(frozen=True, slots=True)
class StepDone:
    """The result of `record.lua`, and when it was called (s, this process' clock)."""

    asked_at: float
    code: int
    left_ms: int = -1
    admitted: CircuitState = "open"
    situation: Sequence[Any] = ()
    ledger: list[Any] = field(default_factory=list)


def check_left(turn: Turn, left_ms: int, seconds: float) -> None:
    """Raise Fenced unless the lease lasts at least this long."""
    if left_ms < seconds * 1000:
        raise Fenced(f"the lease of {turn.lane} was lost, or is too short for a post ({left_ms} ms left)")
