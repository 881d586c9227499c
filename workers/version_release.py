"""A thread in every worker that releases locations on hold for GHL's API version, once GHL accepts the current one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.version_holds import VersionHolds

log = structlog.get_logger()

EVERY_SECONDS = 30.0


class VersionRelease:
    """Asks at the start, when the setting may have changed, and then from time to time. Any number of them may run."""

    def __init__(self, holds: VersionHolds, *, every: float = EVERY_SECONDS) -> None:
        self._holds = holds
        self._every = every
        self._stopping = threading.Event()

    def run(self) -> None:
        """Ask until `stop`."""
        while not self._stopping.is_set():
            try:
                self._holds.release()
            except BridgeError as error:
                log.warning("version_release.waiting", why=str(error))
            self._stopping.wait(self._every)

    def stop(self) -> None:
        """Stop asking."""
        self._stopping.set()
