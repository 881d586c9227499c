"""Retries within seconds, with exponential backoff, for GHL's client and completers. A turn is retried by `policy/retry.py`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import tenacity

from bridge.errors import BudgetExhausted, Retryable

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

TRIES = 3
LONGEST_WAIT = 10.0
BACKOFF = tenacity.wait_exponential_jitter(multiplier=1, max=5, jitter=1)


def persist(
    attempt: Callable[[float], T],
    *,
    seconds: float,
    tries: int = TRIES,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    on_wait: Callable[[Retryable], None] | None = None,
) -> T:
    """Call `attempt(seconds left)` until it succeeds, up to `tries` times, while there is time for another try after the wait.

    Only Retryable is retried, because only then it is certain that the attempt had no effect; not BudgetExhausted, because its
    wait must not hold a slot. The wait is the requested one, else exponential with jitter. Raises what `attempt` raises; the last
    Retryable if tries or time run out, or if it asks for more than ten seconds. `on_wait` is called with each error before its
    wait.
    """
    end = clock() + seconds
    try:
        # Nearly always enough, and tenacity costs as much as the rest of a call.
        return attempt(seconds)
    except Retryable as error:
        faults = [error]

    def next_attempt() -> T:
        if faults:
            raise faults.pop()
        return attempt(end - clock())

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_worth_waiting),
        wait=_wait,
        stop=lambda state: (
            state.attempt_number >= tries or state.upcoming_sleep > LONGEST_WAIT or clock() + state.upcoming_sleep >= end
        ),
        sleep=sleep,
        before_sleep=lambda state: _tell(state, on_wait),
        reraise=True,
    )
    return retrying(next_attempt)


def _tell(state: tenacity.RetryCallState, on_wait: Callable[[Retryable], None] | None) -> None:
    error = state.outcome.exception() if state.outcome else None
    if on_wait and isinstance(error, Retryable):
        on_wait(error)


def _is_worth_waiting(error: BaseException) -> bool:
    return isinstance(error, Retryable) and not isinstance(error, BudgetExhausted)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, Retryable) else None
    return BACKOFF(state) if asked is None else asked
