"""A sliding window that counts requests."""

from __future__ import annotations

import time
from collections import deque


class RequestWindow:
    """The requests of one location in the last seconds."""

    def __init__(self) -> None:
        self.times: deque[float] = deque()
        self.today = 0

    def used(self, *, seconds: float) -> int:
        """The number of requests in the last `seconds`."""
        horizon = time.monotonic() - seconds
        while self.times and self.times[0] < horizon:
            self.times.popleft()
        return len(self.times)

    def take(self) -> None:
        """Count one request."""
        self.times.append(time.monotonic())
        self.today += 1
