"""The renewer: a thread in every worker that renews grants before they expire, whether they are in use or not."""

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
    """Renews until stopped. Any number of them may run: a grant is renewed by one."""

    def __init__(self, renewing: TokenRefresh, *, every: float = EVERY_SECONDS) -> None:
        self._renewing = renewing
        self._every = every
        self._stopping = threading.Event()

    def run(self) -> None:
        """Renew what is due, until `stop`."""
        while not self._stopping.wait(self._every):
            try:
                while not self._stopping.is_set() and self._renewing.renew_due():
                    pass
            except BridgeError as error:
                log.warning("renewer.waiting", why=str(error))

    def stop(self) -> None:
        """Renew no more."""
        self._stopping.set()
