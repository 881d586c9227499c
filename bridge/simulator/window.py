"""A sliding window: how many requests came in the last seconds."""

from __future__ import annotations

import time
from collections import deque


class RequestWindow:
    """The requests of one location in the last seconds."""

    def __init__(self) -> None:
        self.times: deque[float] = deque()
        self.today = 0

    def used(self, *, seconds: float) -> int:
        """Count those that are not yet forgotten."""
        horizon = time.monotonic() - seconds
        while self.times and self.times[0] < horizon:
            self.times.popleft()
        return len(self.times)

    def take(self) -> None:
        """Count one more."""
        self.times.append(time.monotonic())
        self.today += 1
