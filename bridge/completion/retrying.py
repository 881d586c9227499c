"""Retries around a completer; itself a completer."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.errors import Retryable
from bridge.wire.backoff import TRIES, persist

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.completion import Completer
    from bridge.model import Completion, Question


class Retrying:
    """A completer that calls another one up to `attempts` times. `sleep` and `clock` (monotonic) use seconds."""

    def __init__(
        self,
        completer: Completer,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        attempts: int = TRIES,
    ) -> None:
        self._completer = completer
        self._sleep = sleep
        self._clock = clock
        self._attempts = attempts

    def complete(self, question: Question, *, seconds: float) -> Completion:
        """Answer within `seconds`, including waits. Raises what the completer raises; see `persist`."""
        faults: list[str] = []

        def attempt(left: float) -> Completion:
            try:
                return self._completer.complete(question, seconds=left)
            except Retryable as error:
                faults.append(str(error))
                raise

        answer = persist(attempt, seconds=seconds, tries=self._attempts, sleep=self._sleep, clock=self._clock)
        return replace(answer, waited_out=tuple(faults))
