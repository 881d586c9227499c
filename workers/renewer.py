"""The renewer: a thread in every worker that renews grants before they expire, even if they are not in use."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.access.token_refresh import TokenRefresh

log = structlog.get_logger()

EVERY_SECONDS = 30.0


class Renewer:
    """Renews grants until stopped. Any number of renewers may run, because a lease allows only one per grant."""

    def __init__(self, renewing: TokenRefresh, *, every: float = EVERY_SECONDS) -> None:
        self._renewing = renewing
        self._every = every
        self._stopping = threading.Event()

    def run(self) -> None:
        """Renew due grants until `stop`."""
        while not self._stopping.wait(self._every):
            try:
                while not self._stopping.is_set() and self._renewing.renew_due():
                    pass
            except BridgeError as error:
                log.warning("renewer.waiting", why=str(error))

    def stop(self) -> None:
        """Stop renewing."""
        self._stopping.set()
