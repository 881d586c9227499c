"""GHL's outages: what a turn's requests tell GHL's circuits, and the wait for its return, which uses no attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bridge.errors import BudgetExhausted, OutcomeUnknown, Retryable
from bridge.model import Again
from bridge.store.limits.circuits import GHL_POSTS, GHL_READS

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.answering.case import Case
    from bridge.ghl.access import Direction
    from bridge.model import Turn
    from bridge.store.limits.circuits import Circuits

log = structlog.get_logger()

# A waiting lane is woken as soon as GHL answers. It also tries after this time, because its messages become too old.
LONGEST_WAIT_SECONDS = 600.0
CIRCUITS: dict[Direction, str] = {"reads": GHL_READS, "posts": GHL_POSTS}
WHY = {
    GHL_READS: "GHL is down: the turn is tried again as soon as GHL answers",
    GHL_POSTS: "GHL accepts no messages: the reply is tried again as soon as GHL accepts one",
}


class TurnBreaker:
    """Reports the results of a turn's requests to GHL's circuits. `down` is the open circuit of the newest failure, else "".

    If nothing has failed lately, a success is not reported, which saves a call.
    """

    def __init__(self, turn: Turn, circuits: Circuits, clock: Callable[[], float]) -> None:
        self._turn = turn
        self._circuits = circuits
        self._clock = clock
        self._doubted = dict.fromkeys(CIRCUITS, turn.ghl_doubted)
        self.down = ""

    def passed(self, direction: Direction) -> None:
        """Report an answer of GHL; an answer to a post closes both circuits. Raises Unavailable."""
        for each in ("reads", "posts") if direction == "posts" else ("reads",):
            if self._doubted[each]:
                self._circuits.passed(CIRCUITS[each], self._turn.lane)
                self._doubted[each] = False
            if CIRCUITS[each] == self.down:
                self.down = ""

    def failed(self, direction: Direction, *, unreachable: bool, seconds: float) -> None:
        """Report that GHL was down. Raises Unavailable."""
        self._doubted[direction] = True
        circuit, asked_at_ms = CIRCUITS[direction], self._turn.now_ms(self._clock() - seconds)
        is_open = self._circuits.ghl_fault(circuit, self._turn, unreachable=unreachable, asked_at_ms=asked_at_ms)
        if is_open and not self.down:
            log.warning("ghl.down", lane=str(self._turn.lane), circuit=circuit)
        self.down = circuit if is_open else ""


def wait_for_ghl(case: Case) -> Again | None:
    """The wait until GHL recovers, if GHL was down when the turn was read; else None."""
    return _wait(case, case.turn.ghl_down) if case.turn.ghl_down else None


def wait_after(case: Case, error: Exception) -> Again | None:
    """The wait until GHL recovers, if the error means that GHL is down; else None."""
    if not case.breaker.down or isinstance(error, BudgetExhausted) or not isinstance(error, (Retryable, OutcomeUnknown)):
        return None
    return _wait(case, case.breaker.down)


def _wait(case: Case, circuit: str) -> Again:
    return Again(wait=LONGEST_WAIT_SECONDS, why=WHY[circuit], counts=False, looks=case.looks, circuits=(circuit,))
