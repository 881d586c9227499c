"""Patience of seconds around a completer; the patience of minutes is the due set's."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import tenacity

from bridge.errors import Retryable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.completion import Completer
    from bridge.model import Completion, Question

LONGEST_WAIT = 10.0
BACKOFF = tenacity.wait_exponential_jitter(multiplier=1, max=5, jitter=1)


class Retrying:
    """A completer that asks another one up to `attempts` times. `sleep` takes and `clock` (monotonic) gives seconds."""

    def __init__(
        self,
        completer: Completer,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        attempts: int = 3,
    ) -> None:
        self._completer = completer
        self._sleep = sleep
        self._clock = clock
        self._attempts = attempts

    def complete(self, question: Question, *, seconds: float) -> Completion:
        """Answer within `seconds`, waits included. Only Retryable is tried again: a lost answer may have been a reply.

        Raises what the completer raises; the last Retryable as well when tries or time run out, or when it asks for a wait of
        more than ten seconds.
        """
        end = self._clock() + seconds
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Retryable),
            wait=_wait,
            stop=lambda state: (
                state.attempt_number >= self._attempts
                or state.upcoming_sleep > LONGEST_WAIT
                or self._clock() + state.upcoming_sleep >= end
            ),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(lambda: self._completer.complete(question, seconds=end - self._clock()))


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, Retryable) else None
    return BACKOFF(state) if asked is None else asked
