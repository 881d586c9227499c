"""The dispatcher: a thread in every worker that publishes wake-ups for due lanes, at most one per free slot."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from bridge.errors import Unavailable
from bridge.store.redis.wakeups import WakeUpListener
from workers.unheard import UnheardClaims

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.model import Lane
    from bridge.store.lanes.leases import Lanes
    from bridge.store.redis.connection import Redis

log = structlog.get_logger()

MOST_AT_ONCE = 100
LONGEST_SLEEP = 1.0
ALIVE_SECONDS = 5.0


class Dispatcher:
    """Claims lanes and publishes wake-ups until stopped. Any number of dispatchers may run, because a claim is atomic."""

    def __init__(self, redis: Redis, lanes: Lanes, *, slots: int, publish: Callable[[Sequence[Lane]], None]) -> None:
        self._wakes = WakeUpListener(redis)
        self._lanes = lanes
        self._slots = slots
        self._publish = publish
        self._stopping = threading.Event()
        self._unheard = UnheardClaims(redis)
        # Without a colon, because the claim script appends `:slots`.
        self._worker = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}".replace(":", "-")

    def run(self) -> None:
        """Dispatch until `stop`."""
        while not self._stopping.is_set():
            try:
                sleep = self.dispatch()
                self._unheard.tell()
                if sleep > 0:
                    self._wakes.wait(min(sleep, LONGEST_SLEEP))
            except Exception as error:  # noqa: BLE001 - a worker whose dispatcher ended would look alive and do nothing
                why = str(error) if isinstance(error, Unavailable) else f"internal fault: {type(error).__name__}"
                log.warning("dispatcher.waiting", why=why)
                self._stopping.wait(LONGEST_SLEEP)
        self._wakes.close()

    def dispatch(self) -> float:
        """Claim once and publish wake-ups for the claimed lanes. Returns the seconds until the next claim is useful."""
        claim = self._lanes.claim(self._worker, slots=self._slots, alive_seconds=ALIVE_SECONDS, most=MOST_AT_ONCE)
        if claim.lanes:
            self._wake(claim.lanes)
        return LONGEST_SLEEP if claim.next_due is None else claim.next_due

    def stop(self) -> None:
        """Stop claiming."""
        self._stopping.set()

    def _wake(self, lanes: tuple[Lane, ...]) -> None:
        """Publish wake-ups.

        A lane that can't be published is unclaimed; if that fails too, its claim expires and it is due again.
        """
        try:
            self._publish(lanes)
        except Exception as error:  # noqa: BLE001 - each broker's client has its own errors, and none may end this thread
            log.warning("dispatcher.not_published", lanes=len(lanes), error=type(error).__name__)
            self._lanes.unclaim(lanes, pause=LONGEST_SLEEP)
            self._stopping.wait(LONGEST_SLEEP)
