"""Detects claims without a turn: their wake-ups were published, but the broker did not deliver them."""

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
# A claim is only made for a free slot, so its turn normally begins within milliseconds.
PATIENCE_SECONDS = 5.0


class UnheardClaims:
    """Checks every few seconds, and logs each problem once."""

    def __init__(self, redis: Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock
        self._looked_at = clock()
        self._told = False

    def tell(self, *, some: bool = True) -> None:
        """Log when the oldest claim waits too long for its turn, and when that is over. Raises Unavailable.

        `some`: there is a claim without a turn; otherwise nothing is read.
        """
        now = self._clock()
        if now - self._looked_at < EVERY_SECONDS or not (some or self._told):
            return
        self._looked_at = now
        waited = measure(self._redis).unheard_ms / 1000
        if waited > PATIENCE_SECONDS and not self._told:
            cure = "check the broker (an alarm, another queue, another bridge that uses it) with `ghl-bridge doctor`"
            log.warning("dispatcher.unheard", seconds=round(waited), why=f"published wake-ups reach no worker: {cure}")
        elif not waited and self._told:
            log.info("dispatcher.heard")
        self._told = waited > PATIENCE_SECONDS or (self._told and waited > 0)
