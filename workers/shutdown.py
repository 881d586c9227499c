"""Shutdown of a worker: claim nothing new, give back what isn't being posted, wait for a post under way."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import structlog

from bridge.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.lanes.leases import Lanes
    from workers.dispatcher import Dispatcher
    from workers.heartbeat import Heartbeat

log = structlog.get_logger()

LONGEST_POST_SECONDS = 20.0
TAKING_SECONDS = 0.2


class Shutdown:
    """Runs once, in a thread of its own, beside Celery's own warm shutdown, which would wait for every completion.

    It sets `leaving`, so that no wake-up is taken on any more. `report` is called last: it writes what was counted, and raises
    nothing.
    """

    def __init__(
        self,
        *,
        leaving: threading.Event,
        dispatcher: Dispatcher,
        heartbeat: Heartbeat,
        lanes: Lanes,
        report: Callable[[], object] = lambda: None,
    ) -> None:
        self._leaving = leaving
        self._dispatcher = dispatcher
        self._heartbeat = heartbeat
        self._lanes = lanes
        self._report = report

    def begin(self) -> None:
        """Start leaving; a second call changes nothing."""
        if not self._leaving.is_set():
            self._leaving.set()
            threading.Thread(target=self._leave, name="shutdown", daemon=True).start()

    def _leave(self) -> None:
        self._dispatcher.stop()
        given_back = self.give_all_back()
        self._report()
        log.info("worker.leaving", given_back=given_back, posting=self._heartbeat.is_posting())
        sys.stderr.flush()
        # Threads that wait for a completion can't be interrupted and would keep the process; their leases are fenced off.
        os._exit(0)

    def give_all_back(self) -> int:
        """Give back what isn't being posted, and the rest once it is posted; answers how many."""
        given_back = self.give_back()
        # A task that looked at `leaving` right before it was set may have its turn only now.
        time.sleep(TAKING_SECONDS)
        deadline = time.monotonic() + LONGEST_POST_SECONDS
        while self._heartbeat.is_posting() and time.monotonic() < deadline:
            time.sleep(0.02)
        return given_back + self.give_back()

    def give_back(self) -> int:
        """Give back every turn that has no post under way; answers how many. One that can't be told runs out by itself."""
        given_back = 0
        for turn in self._heartbeat.idle():
            try:
                given_back += self._lanes.give_back(turn)
            except Unavailable as error:
                log.warning("worker.not_given_back", lane=str(turn.lane), why=str(error))
        return given_back
