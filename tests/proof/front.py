"""The front: every call of a process to Redis, GHL or a service goes through it, is listed, and may have a fault."""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha1
from typing import TYPE_CHECKING, Any, TypeVar

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError

from bridge.ghl.routes import route
from bridge.store.redis.lua import all_scripts, script
from bridge.wire.calls import Wire
from tests.proof.clock import virtual
from tests.proof.faults import ARRIVALS, OF_TURNS, Crash, Fault, Stuck

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Protocol

    from tests.proof.clock import Clock

    class Around(Protocol):
        """The front's effects on its surroundings when a fault happens."""

        def arrive(self, fault: Fault) -> None:
            """Let an event arrive."""

        def others_work(self, life: Life, fault: Fault) -> None:
            """Stop or pause the process, and let others do its work."""

        def wait(self, life: Life, seconds: float) -> None:
            """Let time pass while the process lives."""

        def answered(self, life: Life, path: str) -> None:
            """An answer for this path has arrived after its time."""

        def far_fault(self, fault: Fault) -> AbstractContextManager[None]:
            """Let the server behave like this once."""


T = TypeVar("T")

REDIS_LATE_SECONDS = 4.0
# More than a walk of two days makes: a run with more calls is in an endless loop.
MOST_CALLS = 20_000
# The id of a turn, which differs in each run.
OWN_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(slots=True)
class Life:
    """One process: whether it lives, whether it holds a turn (`holds`), and whether a stop may end it (`leaving`).

    `task` is the number of the task that it runs, and the contact of its lane; `call` the number of its newest call.
    """

    name: str
    alive: bool = True
    holds: Callable[[], bool] = lambda: False
    may_leave: Callable[[], bool] = lambda: False
    task: tuple[int, str] | None = None
    call: int = -1

    def die(self) -> Crash:
        """End it; later calls have no effect."""
        self.alive = False
        return Crash(self.name)


@dataclass(slots=True)
class Front:
    """`calls` are the places in order; `choose` returns the fault for a number and place, `struck` are those that happened.

    `contacts` are those of the tasks' lanes, by the number of the call. `follows` are calls that begin at the end of
    another one, in the same task: a crash before one of them is the same as a crash after the other.
    """

    around: Around
    clock: Clock
    choose: Callable[[int, str], Fault | None]
    calls: list[str] = field(default_factory=list)
    struck: dict[int, Fault] = field(default_factory=dict)
    contacts: dict[int, str] = field(default_factory=dict)
    follows: dict[int, int] = field(default_factory=dict)
    _ended: tuple[int, tuple[int, tuple[int, str] | None, float]] | None = None

    def enter(self, life: Life, place: str) -> Fault | None:
        """Note a call. Returns the call's own fault. Raises Crash if the process is gone."""
        if not life.alive:
            raise Crash(life.name)
        if life.may_leave():
            raise life.die()
        if len(self.calls) > MOST_CALLS:
            raise Stuck(f"{MOST_CALLS:,} calls, the newest to {place}")
        number, place = len(self.calls), f"{place}*" if life.holds() else place
        self.calls.append(place)
        self._note(number, life)
        fault = self.choose(number, place)
        # A fault planned by number, as in a walk that is reduced, may hit a receiver's call, on whose thread other calls would
        # wait.
        if fault is None or (fault in OF_TURNS and not place.endswith("*")):
            return None
        self.struck[number] = fault
        if fault is Fault.CRASH_BEFORE:
            raise life.die()
        if fault in ARRIVALS:
            self.around.arrive(fault)
        elif fault in OF_TURNS and fault is not Fault.PAUSED_AFTER:
            self.around.others_work(life, fault)
        return fault

    def _note(self, number: int, life: Life) -> None:
        life.call = number
        if life.task and self._ended and self._ended[1] == self._moment(life):
            self.follows[number] = self._ended[0]
        # Calls may lie within each other: what is noted in Redis before the first byte of a post.
        self._ended = None
        self.clock.tick()
        if life.task:
            self.contacts[number] = life.task[1]

    def leave(self, life: Life, number: int) -> None:
        """Note that a call has ended, and its answer is with the process."""
        self._ended = number, self._moment(life)

    def _moment(self, life: Life) -> tuple[int, tuple[int, str] | None, float]:
        return id(life), life.task, self.clock.seconds

    def redis(self, life: Life, place: str, act: Callable[[], T]) -> T:
        """A call to Redis."""
        fault = self.enter(life, place)
        number = life.call
        if fault is Fault.ERROR:
            raise ReadOnlyError("You can't write against a read only replica.")
        answer = self.redis_after(life, fault, act(), act)
        self.leave(life, number)
        return answer

    def redis_after(self, life: Life, fault: Fault | None, answer: T, again: Callable[[], T]) -> T:
        """Decide about Redis' answer."""
        match fault:
            case Fault.CRASH_AFTER:
                raise life.die()
            case Fault.LOST:
                raise RedisConnectionError("Connection closed by server.")
            case Fault.LATE:
                self.around.wait(life, REDIS_LATE_SECONDS)
            case Fault.TWICE:
                return again()
            case Fault.PAUSED_AFTER:
                self.around.others_work(life, Fault.PAUSED_AFTER)
        return answer


class FrontedWire(Wire):
    """A process' HTTP calls. Copies share the connections."""

    front: Front
    life: Life

    def of(self, front: Front, life: Life) -> FrontedWire:
        """The same wire for a process."""
        own = copy(self)
        own.front, own.life = front, life
        return own

    def call(self, method: str, url: str, *, seconds: float, **request: Any) -> Any:
        """Like the wire's method."""
        path = url.partition("://")[2].partition("/")[2]
        fault = self.front.enter(self.life, f"http {route(method, path)}" if "conv" in path or "cont" in path else f"http {path}")
        number = self.life.call
        if fault is None:
            answer = super().call(method, url, seconds=seconds, **request)
            self.front.around.answered(self.life, f"/{path}")
            self.front.leave(self.life, number)
            return answer
        with self.front.around.far_fault(fault):
            try:
                answer = super().call(method, url, seconds=seconds, **request)
            except Crash:
                raise
            except Exception:
                if fault is Fault.LATE:
                    self.front.around.wait(self.life, seconds)
                raise
        if fault is Fault.CRASH_AFTER:
            raise self.life.die()
        self.front.around.answered(self.life, f"/{path}")
        if fault is Fault.PAUSED_AFTER:
            self.front.around.others_work(self.life, fault)
        self.front.leave(self.life, number)
        return answer


@cache
def script_names() -> dict[str, str]:
    """The scripts by their hash in the server."""
    return {sha1(virtual(script(name)).encode(), usedforsecurity=False).hexdigest(): name for name in all_scripts()}


def place_of(command: tuple[Any, ...]) -> str:
    """A command's name in a list of calls: the script's name, or the command and its key."""
    if command[0] == "EVALSHA":
        return f"redis {script_names().get(str(command[1]), 'a script with a planted fault')}"
    return "redis " + " ".join(OWN_ID.sub("...", str(part)) for part in command[:2])
