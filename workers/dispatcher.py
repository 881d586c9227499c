"""The dispatcher: a thread in every worker that publishes wake-ups for due lanes, at most one per free slot."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from bridge.errors import Unavailable
from bridge.store.lanes.schedule import NO_LIST
from bridge.store.redis.wakeups import WakeUpListener
from workers.unheard import UnheardClaims

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.model import Lane
    from bridge.store.lanes.leases import Lanes
    from bridge.store.lanes.schedule import WakeUpList
    from bridge.store.redis.connection import Redis

log = structlog.get_logger()

MOST_AT_ONCE = 100
# What waits for a slot may get one that nobody rings for: a dead worker's.
LONGEST_SLEEP = 1.0
# Otherwise only a due time or a ring calls for a claim.
LONGEST_REST = 6.0
# Beyond a due time, who stands by looks whether the leader has claimed.
STANDBY_SECONDS = 0.5
ALIVE_SECONDS = 15.0


class Dispatcher:
    """Claims lanes and publishes wake-ups until stopped. Any number of dispatchers may run, because a claim is atomic.

    Where the broker's list is on the state's own server (`wake_ups`), a claim publishes by itself.
    """

    def __init__(
        self,
        redis: Redis,
        lanes: Lanes,
        *,
        slots: int,
        publish: Callable[[Sequence[Lane]], None],
        wake_ups: Callable[[], WakeUpList] = lambda: NO_LIST,
    ) -> None:
        self._lanes = lanes
        self._slots = slots
        self._publish = publish
        self._wake_ups = wake_ups
        self._stopping = threading.Event()
        self._unheard = UnheardClaims(redis)
        # Without a colon, because the claim script appends `:slots`.
        self._worker = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}".replace(":", "-")
        self._wakes = WakeUpListener(redis, self._worker)
        # Nobody's claim for longer than a lease is an outage (claim.lua).
        self._rest = min(LONGEST_REST, lanes.lease_seconds / 3)

    def run(self) -> None:
        """Dispatch until `stop`."""
        while not self._stopping.is_set():
            try:
                # Before the claim: what comes due after it is rung for.
                self._wakes.listen()
                sleep = self.dispatch()
                if sleep > 0:
                    self._wakes.wait(sleep, unless=self._stopping.is_set)
            except Exception as error:  # noqa: BLE001 - a worker whose dispatcher ended would look alive and do nothing
                why = str(error) if isinstance(error, Unavailable) else f"internal fault: {type(error).__name__}"
                log.warning("dispatcher.waiting", why=why)
                self._stopping.wait(LONGEST_SLEEP)
        self._wakes.close()

    def dispatch(self) -> float:
        """Claim once and publish wake-ups for the claimed lanes. Returns the seconds until the next claim is useful."""
        wake_ups = self._wake_ups()
        claim = self._lanes.claim(
            self._worker, slots=self._slots, alive_seconds=ALIVE_SECONDS, most=MOST_AT_ONCE, wake_ups=wake_ups
        )
        if claim.lanes and not wake_ups.name:
            self._wake(claim.lanes)
        self._unheard.tell(some=claim.unheard)
        longest = max(self._rest, LONGEST_SLEEP) if claim.calm else LONGEST_SLEEP
        if claim.next_due is None:
            return longest
        return min(longest, claim.next_due + (0.0 if claim.leads or not claim.next_due else STANDBY_SECONDS))

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
