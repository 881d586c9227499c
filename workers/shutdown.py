"""The shutdown of a worker: stop claiming, give back turns without a post in progress, wait for posts in progress."""

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

    from bridge.model import Lane
    from bridge.store.lanes.leases import Lanes
    from workers.dispatcher import Dispatcher
    from workers.heartbeat import Heartbeat

log = structlog.get_logger()

LONGEST_POST_SECONDS = 20.0
TAKING_SECONDS = 0.2


class Shutdown:
    """Runs once, in a separate thread, in parallel to Celery's warm shutdown, which would wait for every completion.

    It sets `leaving`, so that no further wake-up is processed. `report` is called last: it writes the counts, and raises nothing.
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
        self._given_back: list[Lane] = []

    def begin(self) -> None:
        """Start the shutdown; further calls have no effect."""
        if not self._leaving.is_set():
            self._leaving.set()
            threading.Thread(target=self._leave, name="shutdown", daemon=True).start()

    def _leave(self) -> None:
        self._dispatcher.stop()
        given_back = self.give_all_back()
        self._report()
        log.info("worker.leaving", given_back=given_back, posting=self._heartbeat.is_posting())
        sys.stderr.flush()
        # Threads that wait for a completion can't be interrupted and would keep the process alive; their leases are already lost.
        os._exit(0)

    def give_all_back(self) -> int:
        """Give back turns without a post in progress, and the others after their post. Returns their number."""
        given_back = self.give_back()
        # A task that read `leaving` just before it was set may have a turn only now.
        time.sleep(TAKING_SECONDS)
        deadline = time.monotonic() + LONGEST_POST_SECONDS
        while self._heartbeat.is_posting() and time.monotonic() < deadline:
            time.sleep(0.02)
        given_back += self.give_back()
        self._make_due_again()
        return given_back

    def give_back(self) -> int:
        """Give back every turn without a post in progress. Returns their number. If Redis is unreachable, their leases expire."""
        given_back = 0
        for turn in self._heartbeat.idle():
            self._heartbeat.giving_back(turn)
            try:
                given_back += self._lanes.give_back(turn)
                self._given_back.append(turn.lane)
            except Unavailable as error:
                log.warning("worker.not_given_back", lane=str(turn.lane), why=str(error))
        return given_back

    def _make_due_again(self) -> None:
        """Undo claims of the returned lanes: the read of the queue that this worker had begun takes one wake-up along.

        What another worker has leased by now stays as it is; a second wake-up of a lane ends immediately.
        """
        try:
            self._lanes.unclaim(self._given_back, pause=0)
        except Unavailable as error:
            log.warning("worker.not_given_back", lanes=len(self._given_back), why=str(error))
