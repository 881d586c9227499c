"""The processes of a run: workers and receivers of the real code, each behind its own front."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from redis.asyncio import BlockingConnectionPool as AsyncPool

from bridge import flow
from bridge.access.ghl_access import GHLAccess
from bridge.access.token_refresh import TokenRefresh
from bridge.answering.media_reader import MediaReader
from bridge.answering.services import AnswerServices
from bridge.completion.providers import Providers
from bridge.errors import Unavailable
from bridge.flow import AcceptServices
from bridge.ghl.client import GHL
from bridge.metrics import Tally
from bridge.settings import from_environment
from bridge.store.figures.list_lags import ListLags
from bridge.store.figures.signatures import Signatures
from bridge.store.lanes.excerpts import Excerpts
from bridge.store.lanes.generations import Generations
from bridge.store.lanes.identities import Identities
from bridge.store.lanes.inbox import Inbox
from bridge.store.lanes.leases import Lanes
from bridge.store.lanes.rollback_looks import RollbackLooks
from bridge.store.lanes.situations import Situations
from bridge.store.lanes.standings import Standings
from bridge.store.lanes.swept import SweptMessages
from bridge.store.limits.budget import Budgets
from bridge.store.limits.circuits import Circuits
from bridge.store.limits.media_reads import MediaReads
from bridge.store.locations.grants import Grants
from bridge.store.locations.installs import Installs
from bridge.store.locations.records import Locations
from bridge.store.locations.sweeps import Sweeps
from bridge.sweep import SweepServices
from bridge.wire.downloads import Downloads
from tests.proof.front import Life
from tests.proof.stores import FrontedAsyncRedis, FrontedRedis
from tests.stored import FERNET_KEY
from workers.heartbeat import Heartbeat
from workers.shutdown import Shutdown
from workers.sweeper import Sweeper

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from bridge.ghl.signature import PublicKeys
    from bridge.model import Lane, WebhookAnswer
    from tests.proof.clock import Clock
    from tests.proof.front import Front
    from tests.proof.machine import Machine
    from tests.proof.stores import VirtualRedis

LEASE_SECONDS = 30.0
POST_SECONDS = 15.0
RETENTION_MS = 30 * 24 * 3600 * 1000
RETRY_DELAYS = (30.0, 120.0, 300.0, 900.0, 1800.0, 3600.0, 3600.0)
READBACK = (6.0, 30.0)
SETTINGS = from_environment({})


class Worker:
    """The parts that `wiring` and `workers.app` build, with this run's clock, clients and wire; the broker is a list."""

    def __init__(self, name: str, machine: Machine, front: Front, clock: Clock) -> None:
        redis = machine.redis
        self.life = Life(name, holds=self._holds, may_leave=self._may_leave)
        self.clock = clock
        self._leaving = False
        self._tasks = 0
        own = FrontedRedis(connection_pool=redis.connection_pool)
        own.front, own.life, own.clock = front, self.life, clock
        http, sleep = machine.wire.of(front, self.life), self.sleep
        self.lanes = _lanes(own, clock)
        self.heartbeat = Heartbeat(_lanes(redis, clock), every=LEASE_SECONDS / 3)
        self.locations = Locations(own, fernet_keys=[FERNET_KEY], retention_ms=RETENTION_MS)
        budgets = Budgets(own, clock=clock.monotonic)
        grants = Grants(own, fernet_keys=[FERNET_KEY], clock=clock.monotonic)
        access, ghl = GHLAccess(TokenRefresh(grants, None), budgets), GHL(http, machine.far.url, sleep=sleep)
        self.budgets = budgets
        self.services = AnswerServices(
            lanes=self.lanes,
            identities=Identities(own, retention_ms=RETENTION_MS),
            standings=Standings(own, retention_ms=RETENTION_MS),
            situations=Situations(own, retention_ms=RETENTION_MS, clock=clock.monotonic),
            locations=self.locations,
            ghl_access=access,
            ghl=ghl,
            providers=Providers(http, SETTINGS, sleep=sleep),
            circuits=Circuits(own, every=10),
            media=MediaReader(Downloads(http, simulated=True), http, MediaReads(own), allow_private=True),
            excerpts=Excerpts(own, fernet_keys=[FERNET_KEY]),
            generations=Generations(own),
            rollback_looks=RollbackLooks(own, retention_ms=RETENTION_MS),
            heartbeat=self.heartbeat,
            list_lags=ListLags(own),
            retry_delays=RETRY_DELAYS,
            readback=READBACK,
            post_seconds=POST_SECONDS,
            clock=clock.monotonic,
        )
        swept = SweptMessages(own, retention_ms=RETENTION_MS, fernet_keys=[FERNET_KEY])
        sweeping = SweepServices(ghl_access=access, ghl=ghl, store=swept, clock=clock.monotonic)
        self.sweeper = Sweeper(Sweeps(own), self.locations, sweeping)
        self._quiet_lanes = _lanes(redis, clock)
        self.quiet_standings = Standings(redis, retention_ms=RETENTION_MS)

    def claim(self) -> tuple[tuple[Lane, ...], float | None]:
        """Claim the due lanes; returns them and the seconds until the next one is due."""
        claim = self.lanes.claim(self.life.name, slots=20, alive_seconds=5.0, most=100)
        return claim.lanes, claim.next_due

    def answer(self, lane: Lane) -> None:
        """Run the code of the Celery task."""
        self._tasks += 1
        self.life.task = (self._tasks, lane.contact_id)
        try:
            flow.answer(lane, self.services)
        except Unavailable:
            return
        finally:
            self.life.task = None

    def sleep(self, seconds: float) -> None:
        """Wait within a call; the heartbeat continues."""
        left = seconds
        while left > 0:
            step = min(left, LEASE_SECONDS / 3)
            self.clock.advance(step)
            self.heartbeat.beat()
            left -= step

    def give_back(self) -> None:
        """Stop: turns without a post in progress are given back, the others after their post."""
        nothing: Any = None  # nothing is dispatched here
        shutdown = Shutdown(leaving=threading.Event(), dispatcher=nothing, heartbeat=self.heartbeat, lanes=self._quiet_lanes)
        shutdown.give_back()
        self._leaving = True

    def _holds(self) -> bool:
        return bool(self.heartbeat._kept)

    def _may_leave(self) -> bool:
        if not self._leaving or self.heartbeat.is_posting():
            return False
        self.give_back()
        return True


def _lanes(redis: VirtualRedis, clock: Clock) -> Lanes:
    return Lanes(redis, lease_seconds=LEASE_SECONDS, retention_ms=RETENTION_MS, clock=clock.monotonic)


class Loop:
    """An event loop in a thread, with its own connections, for one receiver after the other."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.pool = AsyncPool.from_url(url, max_connections=4, decode_responses=True, protocol=2)

    def run(self, coroutine: Coroutine[Any, Any, WebhookAnswer]) -> WebhookAnswer:
        """Wait for a coroutine from another thread; after a minute it counts as a deadlock."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=60)

    def close(self) -> None:
        """End the thread."""
        asyncio.run_coroutine_threadsafe(self.pool.disconnect(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Receiver:
    """A receiver of webhooks. Without a front it has no faults."""

    def __init__(self, loop: Loop, redis: VirtualRedis, front: Front | None, keys: PublicKeys) -> None:
        self.life = Life("receiver")
        own = FrontedAsyncRedis(connection_pool=loop.pool)
        own.front, own.life, own.clock = front, self.life, redis.clock
        inbox = Inbox(own, retention_ms=RETENTION_MS, seconds=30.0, fernet_keys=[FERNET_KEY])
        installs = Installs(redis, retention_ms=RETENTION_MS)
        self._loop = loop
        self._services = AcceptServices(
            keys=keys,
            signatures=Signatures(own, Tally(), legacy="auto"),
            inbox=inbox,
            installs=installs,
            app_id="",
            workflow_secrets=("word",),
            secret_keys=(FERNET_KEY,),
        )

    def take(self, body: bytes, headers: Mapping[str, str], *, workflow: bool) -> WebhookAnswer:
        """Accept a webhook. Raises the same as `flow.accept`."""
        if workflow:
            return self._loop.run(flow.accept_workflow(body, headers, "", self._services))
        return self._loop.run(flow.accept(body, headers, self._services))
