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
from workers.agenda import Agenda
from workers.unheard import UnheardClaims

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bridge.model import Lane
    from bridge.store.lanes.leases import Lanes
    from bridge.store.lanes.schedule import WakeUpList
    from bridge.store.redis.connection import Redis

log = structlog.get_logger()

MOST_AT_ONCE = 100
# A waiting lane may get the slot of a dead worker, for which no wake-up is sent.
LONGEST_SLEEP = 1.0
# Otherwise only a due time or a wake-up makes a claim necessary.
LONGEST_REST = 6.0
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
        # If no worker claims for longer than a lease, that is an outage (claim.lua).
        self._rest = min(LONGEST_REST, lanes.lease_seconds / 3)
        self._agenda = Agenda()

    def run(self) -> None:
        """Dispatch until `stop`."""
        rung: Iterable[int] | None = None
        while not self._stopping.is_set():
            try:
                # Before the claim: for lanes that become due after it, a wake-up is sent.
                self._wakes.listen()
                sleep = self.dispatch(rung)
                # Also without a pause, so that a backlog in one partition hides no wake-up of another.
                rung = self._wakes.wait(sleep, unless=self._stopping.is_set)
            except Exception as error:  # noqa: BLE001 - a worker whose dispatcher ended would look alive and do nothing
                why = str(error) if isinstance(error, Unavailable) else f"internal fault: {type(error).__name__}"
                log.warning("dispatcher.waiting", why=why)
                rung = None
                self._stopping.wait(LONGEST_SLEEP)
        self._wakes.close()

    def dispatch(self, rung: Iterable[int] | None = None) -> float:
        """Claim once and publish wake-ups for the claimed lanes. Returns the seconds until the next claim is useful.

        `rung` are the partitions of received wake-ups; None: there may have been one for any.
        """
        self._agenda.ring(rung)
        wake_ups = self._wake_ups()
        claim = self._lanes.claim(
            self._worker,
            slots=self._slots,
            alive_seconds=ALIVE_SECONDS,
            most=MOST_AT_ONCE,
            wake_ups=wake_ups,
            partitions=self._agenda.due(),
        )
        if claim.lanes and not wake_ups.name:
            self._wake(claim.lanes)
        self._unheard.tell(some=claim.unheard)
        self._agenda.note(claim.looks, calm=max(self._rest, LONGEST_SLEEP), otherwise=LONGEST_SLEEP)
        return self._agenda.wait()

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
