"""Writes a worker's counts (durations and results of requests) to Redis once a second."""

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
    """Writes counts until stopped."""

    def __init__(self, tally: Tally, counts: Counts, *, every: float = EVERY_SECONDS) -> None:
        self._tally = tally
        self._counts = counts
        self._every = every
        self._stopping = threading.Event()

    def run(self) -> None:
        """Write counts every second until `stop`."""
        while not self._stopping.wait(self._every):
            self.report()

    def report(self) -> None:
        """Write the counts since the last call; those that can't be written are kept for the next one."""
        try:
            self._counts.add(self._tally)
        except Unavailable as error:
            log.debug("counts.waiting", why=str(error))

    def stop(self) -> None:
        """Stop the periodic writes."""
        self._stopping.set()
