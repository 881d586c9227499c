"""Writes what a worker counted (how long requests took, how they ended) to Redis once a second."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from bridge.errors import Unavailable

if TYPE_CHECKING:
    from bridge.metrics import Tally
    from bridge.store.figures.counts import Counts

log = structlog.get_logger()

EVERY_SECONDS = 1.0


class CountFlush:
    """Reports until stopped."""

    def __init__(self, tally: Tally, counts: Counts, *, every: float = EVERY_SECONDS) -> None:
        self._tally = tally
        self._counts = counts
        self._every = every
        self._stopping = threading.Event()

    def run(self) -> None:
        """Report until `stop`."""
        while not self._stopping.wait(self._every):
            self.report()

    def report(self) -> None:
        """Write what was counted since the last time; what can't be written now is written later."""
        try:
            self._counts.add(self._tally)
        except Unavailable as error:
            log.debug("counts.waiting", why=str(error))

    def stop(self) -> None:
        """Report no more by itself."""
        self._stopping.set()
