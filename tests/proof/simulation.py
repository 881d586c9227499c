"""One run: contacts write, webhooks arrive, workers work, and crashed processes are restarted, until no work is left."""

from __future__ import annotations

import random
from contextlib import nullcontext
from math import inf
from typing import TYPE_CHECKING, Any

from bridge.errors import BridgeError
from bridge.store.locations.records import Locations
from bridge.store.operators.dead_letters import DeadLetters
from tests.keys import key
from tests.proof import webhooks
from tests.proof.clock import Clock
from tests.proof.completions import ASKED
from tests.proof.far_side import LOCATION
from tests.proof.faults import OF_HTTP, Crash, Fault, Stuck
from tests.proof.front import Front
from tests.proof.location import location_of
from tests.proof.processes import LEASE_SECONDS, RETENTION_MS, Receiver, Worker
from tests.proof.record import Accepted, read_outcomes
from tests.stored import FERNET_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.proof.front import Life
    from tests.proof.machine import Machine
    from tests.proof.record import Record, Row

# GHL's wait before a repeated webhook; a lease and a little more; the most rounds of a run.
RETRY_SECONDS = 20.0
ECHO_SECONDS = 1.0
MOST_ROUNDS = 4000
# The longest pause of a process, and how much others do while it is only scheduled later.
AWAY_SECONDS, SHARED_ROUNDS = 300.0, 4
FAR_FAULTS = frozenset({Fault.LOST, Fault.LATE, Fault.TWICE, Fault.ERROR}) | OF_HTTP


class Simulation:
    """A run. `sweeps`: locations are swept in it; `echoes`: webhooks report the bridge's own posts.

    `operate` is called for the operator whenever no work is left.
    """

    def __init__(self, machine: Machine, choose: Callable[[int, str], Fault | None]) -> None:
        self.machine = machine
        machine.plain.flushall()
        random.seed(0)  # the jitter of retries
        self.clock = machine.redis.clock = Clock(machine.plain)
        self.far = machine.far
        self.far.restart(self.clock)
        self.far.sent, self.far.later = self._leaves, self._later
        self.front = Front(self, self.clock, choose)
        self.queue: list[webhooks.Webhook] = []
        self.sweeps = False
        self.echoes = True
        self.operate: Callable[[Simulation], bool] = lambda _: False
        self.newer = 0
        self.arrives_for: Callable[[], str] = lambda: "contact"
        self.planned: list[tuple[float, Callable[[Simulation], object]]] = []
        self.depth = 0
        self._staff: dict[str, Worker] = {}
        self.worker = self.hire()
        self._receiver = Receiver(machine.loops[0], machine.redis, self.front, webhooks.KEYS)

    # What the shapes use

    def apply(self, **settings: Any) -> None:
        """Apply the location's settings."""
        self.far.record.draft = settings.get("mode") == "draft"
        self.far.record.swept = "reconcile_minutes" in settings
        self.far.record.takeover_ms = round(settings.get("takeover_seconds", -1) * 1000)
        self.quiet_locations().apply([location_of(self.far.url, settings)])

    def quiet_locations(self) -> Locations:
        """The locations, by a client without faults."""
        return Locations(self.machine.redis, fernet_keys=[FERNET_KEY], retention_ms=RETENTION_MS)

    def dead_letters(self) -> DeadLetters:
        """The dead letters, by the operator's client."""
        return DeadLetters(self.worker.lanes._redis, retention_ms=RETENTION_MS)

    def write(
        self, id_: str, *, contact: str = "contact", text: str = "", after: float = 0.0, heard: bool = True, **more: Any
    ) -> Row:
        """Let a contact write; `heard`: a marketplace webhook reports it `after` this time (s)."""
        row = self.far.write(contact, id_, text or f"What does it cost? [{id_}]", **more)
        if heard:
            self.queue.append(webhooks.of_row(row, at=self.clock.seconds + after))
        return row

    def later(self, seconds: float, do: Callable[[], object]) -> None:
        """Schedule an action in some seconds."""
        self._later(seconds, do)

    def say(self, contact: str = "contact", **more: Any) -> None:
        """Let a person of the business write."""
        self.far.say(contact, "I am on it myself", **more)

    def report(self, row: Row, *, after: float) -> None:
        """Send its marketplace webhook once more."""
        self.queue.append(webhooks.of_row(row, at=self.clock.seconds + after))

    def deliver(self, webhook: webhooks.Webhook) -> None:
        """Let a working receiver accept a webhook now, independently of any worker."""
        self._take(webhook, Receiver(self.machine.loops[1], self.machine.redis, None, webhooks.KEYS))

    def lift(self, kind: str, _done: object) -> None:
        """Record that an operator has lifted an opt-out (`allowed`) or a takeover (`resumed`)."""
        seq, at_ms = self.far.next(), self.clock.ms
        self.far.record.accepted.append(Accepted(seq=seq, kind=kind, contact="contact", id="", at_ms=at_ms, status="done"))

    def copy(self, row: Row, *, after: float) -> None:
        """Send a workflow webhook of it too."""
        self.queue.append(webhooks.of_row(row, at=self.clock.seconds + after, workflow=True))

    def hire(self) -> Worker:
        """Start a new worker process."""
        worker = Worker(f"worker{len(self._staff) + 1}", self.machine, self.front, self.clock)
        self._staff[worker.life.name] = worker
        return worker

    # What faults do (see `front.Around`)

    def arrive(self, fault: Fault) -> None:
        """Let an event arrive through a working receiver."""
        for webhook in self._arriving(fault):
            self.deliver(webhook)

    def others_work(self, life: Life, fault: Fault) -> None:
        """A process stops or pauses for longer than its lease; others do the due work; then it continues, if it can."""
        if fault is Fault.STOPPED:
            self._staff[life.name].give_back()
        elif fault is not Fault.SHARED:
            self._pass(LEASE_SECONDS + 1)
        self.worker, self.depth = self.hire(), self.depth + 1
        try:
            self._rest(most=SHARED_ROUNDS if fault is Fault.SHARED else MOST_ROUNDS, until=self.clock.seconds + AWAY_SECONDS)
        finally:
            self.depth -= 1

    def wait(self, life: Life, seconds: float) -> None:
        """Let time pass while the process lives."""
        if life.name in self._staff:
            self._staff[life.name].sleep(seconds)
        else:
            self.clock.advance(seconds)
        self._come_to_pass()

    def answered(self, life: Life, path: str) -> None:
        """A service's answer has arrived, after its duration."""
        if self.far.manner.thinks and path in ASKED:
            self.wait(life, self.far.manner.thinks)

    def far_fault(self, fault: Fault) -> AbstractContextManager[None]:
        """Let the server behave so once."""
        return self.far.behaving(fault) if fault in FAR_FAULTS else nullcontext()

    def _arriving(self, fault: Fault) -> Iterator[webhooks.Webhook]:
        at = self.clock.seconds
        match fault:
            case Fault.STOP:
                self.newer += 1
                yield webhooks.of_row(self.far.write(self.arrives_for(), f"s{self.newer}", "STOP"), at=at)
            case Fault.PERSON:
                self.far.say(self.arrives_for(), "I am on it myself")
                yield self.queue.pop()
            case Fault.NEWER:
                self.newer += 1
                id_ = f"n{self.newer}"
                yield webhooks.of_row(self.far.write(self.arrives_for(), id_, f"And on Sunday? [{id_}]"), at=at)
            case Fault.ECHO:
                echoes = [webhook for webhook in self.queue if webhook.kind == "echo"]
                self.queue = [webhook for webhook in self.queue if webhook.kind != "echo"]
                yield from echoes
            case Fault.UNINSTALL:
                yield webhooks.uninstall(at, self.clock.ms)

    def _leaves(self, row: Row) -> None:
        """GHL reports outbound messages, but not comments."""
        if row.type != "TYPE_INTERNAL_COMMENT" and (self.echoes or row.by == "person"):
            self.queue.append(webhooks.of_row(row, at=self.clock.seconds + ECHO_SECONDS))

    # The run

    def run(self) -> Record:
        """Work until nothing is left to do, also for the operator."""
        self._rest(most=MOST_ROUNDS)
        for _ in range(MOST_ROUNDS):
            more = False
            try:
                more = self.operate(self)
            except (Crash, BridgeError):
                self._replace()
                more = True
            self._rest(most=MOST_ROUNDS)
            if not more:
                return read_outcomes(self.far.record, self.machine.redis)
        raise Stuck("the operator never came to an end")

    def _rest(self, *, most: int, until: float = inf) -> None:
        for _ in range(most):
            wait = self._round()
            if wait is None or self.clock.seconds + wait > until:
                return
            if wait > 0:
                self._pass(wait)
        if until < inf:
            return
        raise Stuck(f"something is left to do after {most} rounds")

    def _pass(self, seconds: float) -> None:
        """Advance the time while dispatchers live and claim every second."""
        self.clock.advance(seconds)
        self.machine.plain.set(key("claimed"), self.clock.ms, xx=True)

    def _round(self) -> float | None:
        """Do the due work; returns the seconds until the next work, None if there is none."""
        self._come_to_pass()
        due = [webhook for webhook in self.queue if webhook.at <= self.clock.seconds]
        self.queue = [webhook for webhook in self.queue if webhook.at > self.clock.seconds]
        for webhook in due:
            self._take(webhook, self._receiver)
        if due:
            return 0.0
        try:
            return self._work()
        except Crash:
            self._replace()
        except BridgeError:
            # The dispatcher and the sweeper try again in a moment.
            self.clock.advance(1.0)
        return 0.0

    def _come_to_pass(self) -> None:
        while self.planned and self.planned[0][0] <= self.clock.seconds:
            self.planned.pop(0)[1](self)

    def _later(self, seconds: float, do: Callable[[], object]) -> None:
        if not seconds:
            do()
            return
        self.planned.append((self.clock.seconds + seconds, lambda _: do()))
        self.planned.sort(key=lambda planned: planned[0])

    def _work(self) -> float | None:
        worker = self.worker
        swept = self.sweeps and worker.sweeper.once()
        lanes, following = worker.claim()
        for lane in lanes:
            worker.answer(lane)
        if lanes or swept:
            return 0.0
        waits = [webhook.at - self.clock.seconds for webhook in self.queue]
        waits += [following] if following is not None else []
        waits += [self.planned[0][0] - self.clock.seconds] if self.planned else []
        if self.sweeps and not self._all_swept():
            waits.append(60.0)
        return max(0.001, min(waits)) if waits else None

    def _all_swept(self) -> bool:
        """Whether a sweep has begun since the newest message was written, or none will."""
        if any(one.kind == "uninstall" for one in self.far.record.accepted):
            return True
        since = float(self.machine.plain.hget(key("sweep", LOCATION), "since") or 0)
        return since >= max((row.at_ms for row in self.far.record.rows if row.inbound), default=0)

    def _replace(self) -> None:
        if not self.worker.life.alive:
            self.worker = self.hire()

    def _take(self, webhook: webhooks.Webhook, receiver: Receiver) -> None:
        try:
            answer = receiver.take(webhook.body, webhook.headers, workflow=webhook.workflow)
        except (Crash, BridgeError):
            webhook.at = self.clock.seconds + RETRY_SECONDS
            self.queue.append(webhook)
            if receiver is self._receiver and not receiver.life.alive:
                self._receiver = Receiver(self.machine.loops[0], self.machine.redis, self.front, webhooks.KEYS)
            return
        self.far.record.accepted.append(
            Accepted(
                seq=self.far.next(),
                kind=webhook.kind,
                contact=webhook.contact,
                id=webhook.id,
                at_ms=self.clock.ms,
                status=answer.status,
            )
        )
