"""The sweeper: a thread in every worker that sweeps due locations, one at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from bridge.errors import BridgeError, OperatorMustFix, Unavailable
from bridge.store.locations.sweeps import Progress
from bridge.sweep import span_of, sweep
from workers.swept_before import SweptBefore

if TYPE_CHECKING:
    from bridge.store.locations.records import LocationRecord, Locations
    from bridge.store.locations.sweeps import DueSweep, Sweeps
    from bridge.sweep import SweepServices, Swept

log = structlog.get_logger()

# A sweep that is requested soon is scheduled later than this (flow.LISTED_SECONDS).
EVERY_SECONDS = 7.0
# GHL may list a message a little later than it was written.
OVERLAP_MS = 120_000
# An incomplete sweep continues soon.
GOES_ON_SECONDS = 5.0
# A webhook that is still on its way isn't missed yet.
UNDER_WAY_MS = 60_000
# The script's result for a message whose webhook arrived.
BROUGHT = "duplicate"


class Sweeper:
    """Sweeps until stopped. Any number of sweepers may run, because a lease allows only one per location."""

    def __init__(
        self, sweeps: Sweeps, locations: Locations, sweep_services: SweepServices, *, every: float = EVERY_SECONDS
    ) -> None:
        self._sweeps = sweeps
        self._locations = locations
        self._sweep_services = sweep_services
        self._every = every
        self._wait = every
        self._swept = SweptBefore()
        self._stopping = threading.Event()

    def run(self) -> None:
        """Sweep due locations until `stop`."""
        while not self._stopping.wait(self._wait):
            self._wait = self._every
            try:
                while not self._stopping.is_set() and self.once():
                    pass
            except BridgeError as error:
                log.warning("sweeper.waiting", why=str(error))
            except Exception as error:  # noqa: BLE001 - a worker whose sweeper ended would look alive and find nothing
                log.warning("sweeper.waiting", why=f"internal fault: {type(error).__name__}")

    def once(self) -> bool:
        """Sweep one location, if one is due."""
        due = self._sweeps.claim()
        if isinstance(due, float):
            self._wait = min(self._every, due)
            return False
        record = self._locations.get(due.location_id)
        interval = record.location.reconcile_minutes * 60 if record else 0
        if record is None or not interval:
            self._sweeps.done(due.location_id, due.progress, seconds=None)
        elif not _can_be_read(record):
            self._sweeps.done(due.location_id, due.progress, seconds=interval)
        else:
            self._sweep(record, due, interval=interval)
        return True

    def stop(self) -> None:
        """Stop sweeping."""
        self._stopping.set()

    def _sweep(self, kept: LocationRecord, due: DueSweep, *, interval: float) -> None:
        try:
            swept = sweep(kept, self._swept.widened(span_of(kept, due), kept, due), self._sweep_services)
        except Unavailable:
            raise
        except OperatorMustFix as error:
            log.warning("sweep.refused", location_id=due.location_id, why=str(error))
            self._sweeps.done(due.location_id, due.progress, seconds=interval)
            return
        found = [taken for taken in swept.taken if taken.outcome != BROUGHT]
        log.info(
            "sweep", location_id=due.location_id, found=len(found), complete=not swept.cursor_ms and not swept.why, why=swept.why
        )
        self._conclude(kept, due, swept, interval=interval, missed=_missed(kept, due, swept))

    def _conclude(self, kept: LocationRecord, due: DueSweep, swept: Swept, *, interval: float, missed: bool) -> None:
        begun = due.progress.begun_ms or due.now_ms
        if swept.cursor_ms or swept.why:
            progress = Progress(since_ms=due.progress.since_ms, cursor_ms=swept.cursor_ms, begun_ms=begun)
            wait = max(swept.wait, min(GOES_ON_SECONDS, interval))
            self._sweeps.done(kept.location.location_id, progress, seconds=wait, missed=missed or None)
        else:
            progress = Progress(since_ms=begun - OVERLAP_MS)
            self._swept.note(kept, progress)
            self._sweeps.done(kept.location.location_id, progress, seconds=interval, missed=missed)


def _can_be_read(kept: LocationRecord) -> bool:
    """Whether the bridge has access to GHL for this location, as far as is known."""
    installed = kept.installed_at_ms and not kept.uninstalled_at_ms
    has_token = bool(kept.location.ghl_token) or bool(installed)
    return has_token and not kept.uninstalled_at_ms and kept.hold_why != "ghl"


def _missed(kept: LocationRecord, due: DueSweep, swept: Swept) -> bool:
    """Whether the location has webhooks, and those for the found messages should have arrived already."""
    late = [each for each in swept.taken if each.outcome != BROUGHT and due.now_ms - each.message.date_added_ms > UNDER_WAY_MS]
    return bool(kept.marketplace_at_ms and late)
