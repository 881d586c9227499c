"""Reporting: a thread of each receiver and worker that adds what was reported to its days, when there is enough of it.

Any number of them may run: entries are added once (`fold_report.lua`).
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from bridge.errors import BridgeError
from bridge.operating.report_folding import fold_reported
from bridge.store.figures.reports import DailyCounts
from bridge.wiring import build_locations, build_redis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.settings import Settings
    from bridge.store.locations.records import Locations

log = structlog.get_logger()

EVERY_SECONDS = 60.0


class Reporting:
    """Adds entries to their days until stopped."""

    def __init__(self, counts: DailyCounts, locations: Locations, *, every: float = EVERY_SECONDS) -> None:
        self._counts = counts
        self._locations = locations
        self._every = every
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look every minute until `stop`."""
        while not self._stopping.wait(self._every):
            try:
                if self._counts.is_due():
                    fold_reported(self._counts, self._locations)
            except BridgeError as error:
                log.warning("reporting.waiting", why=str(error))

    def stop(self) -> None:
        """Stop looking."""
        self._stopping.set()


def build_reporting(settings: Settings) -> Reporting:
    """Build `Reporting` with its own client. Raises Misconfigured."""
    redis = build_redis(settings)
    return Reporting(DailyCounts(redis), build_locations(settings, redis))


@contextmanager
def reporting(settings: Settings) -> Iterator[None]:
    """Do so in a separate thread while the block runs. A receiver without BRIDGE_SECRET_KEY leaves it to the workers."""
    if settings.secret_key is None:
        yield
        return
    running = build_reporting(settings)
    threading.Thread(target=running.run, name=Reporting.__name__, daemon=True).start()
    try:
        yield
    finally:
        running.stop()
