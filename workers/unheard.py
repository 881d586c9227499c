"""Claims that nothing became of: their wake-ups were published, and the broker passes them on to nobody."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from bridge.store.figures.gauges import measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.store.redis.connection import Redis

log = structlog.get_logger()

EVERY_SECONDS = 2.0
# A claim is made for a free slot: its turn begins within milliseconds.
PATIENCE_SECONDS = 5.0


class UnheardClaims:
    """Looks every few seconds and tells each trouble once."""

    def __init__(self, redis: Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock
        self._looked_at = clock()
        self._told = False

    def tell(self, *, some: bool = True) -> None:
        """Say it when the oldest claim is unheard for longer than it should be, and when that is over. Raises Unavailable.

        `some`: there is an unheard claim at all; else nothing needs to be looked at.
        """
        now = self._clock()
        if now - self._looked_at < EVERY_SECONDS or not (some or self._told):
            return
        self._looked_at = now
        waited = measure(self._redis).unheard_ms / 1000
        if waited > PATIENCE_SECONDS and not self._told:
            cure = "look at the broker (an alarm, another queue, another bridge on it); `ghl-bridge doctor` does"
            log.warning("dispatcher.unheard", seconds=round(waited), why=f"published wake-ups reach no worker: {cure}")
        elif not waited and self._told:
            log.info("dispatcher.heard")
        self._told = waited > PATIENCE_SECONDS or (self._told and waited > 0)
