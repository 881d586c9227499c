"""The strikes: what each does to the processes of a soak, and what puts it right again."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from tests.story.preloaded import shifted_clock
from tests.story.redis_faults import FAULTS as REFUSALS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.soak.plan import Kind, Strike
    from tests.soak.stage import Stage

    Remedy = Callable[[], bool]

JUMP_SECONDS = 60
# The beginning of a command, as it is in a file whose server was killed while it wrote.
TORN = b"*3\r\n$3\r\nSET\r\n$40\r\n{ghlb:"
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "posts cut before their effect": ("post", {"kind": "cut", "when": "before"}),
    "posts cut after their effect": ("post", {"kind": "cut", "when": "after"}),
    "posts answered 500": ("post", {"kind": "status", "status": 500}),
    "posts answered 429": ("post", {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}}),
    "contacts answered 500": ("contact", {"kind": "status", "status": 500}),
    "completions answered 500": ("completion", {"kind": "status", "status": 500}),
}


def kill(stage: Stage, strike: Strike) -> Remedy:
    """SIGKILL, and a new one."""
    stage.machine.kill(strike.target)
    return lambda: stage.start(strike.target)


def restart(stage: Stage, strike: Strike) -> Remedy:
    """SIGTERM, and a new one."""
    stage.machine.running[strike.target].process.terminate()
    return lambda: stage.start(strike.target)


def freeze(stage: Stage, strike: Strike) -> Remedy:
    """SIGSTOP, and SIGCONT."""
    stage.machine.signal(strike.target, signal.SIGSTOP)

    def thaw() -> bool:
        stage.machine.signal(strike.target, signal.SIGCONT)
        return True

    return thaw


def empty_broker(stage: Stage, strike: Strike) -> None:
    """The broker loses all that it holds."""
    del strike
    for queue in stage.broker.scan_iter(stage.side.queue):
        stage.broker.delete(queue)


def cut_off(stage: Stage, strike: Strike) -> Remedy:
    """Nothing comes through between a worker and Redis, and nobody is told: connections stay open."""
    strait = stage.straits[strike.target]
    strait.swallow()

    def reach() -> bool:
        strait.heal()
        strait.cut()
        return True

    return reach


def tear(stage: Stage, strike: Strike) -> Remedy:
    """Redis is killed within a write: its file ends with the beginning of a command."""
    again = kill(stage, strike)
    newest = max(stage.machine.folder.glob("redis/**/*.incr.aof"), key=lambda file: file.stat().st_mtime)
    with newest.open("ab") as file:
        file.write(TORN)
    return again


def jump(stage: Stage, strike: Strike) -> Remedy:
    """Redis is killed; its clock is a minute ahead from then on, or is right again."""
    again = kill(stage, strike)
    stage.of_redis = {} if stage.of_redis else shifted_clock(stage.machine.folder, seconds=JUMP_SECONDS)
    return again


def refuse(how: str) -> Callable[[Stage, Strike], Remedy]:
    """Redis refuses in its own words."""

    def strike_so(stage: Stage, strike: Strike) -> Remedy:
        del strike
        going_on = ExitStack()
        going_on.enter_context(REFUSALS[how](stage.machine.redis))

        def end() -> bool:
            going_on.close()
            return True

        return end

    return strike_so


def fail_over(stage: Stage, strike: Strike) -> Remedy:
    """Redis fails over to another server behind the same address, and back again."""
    return stage.second_server(strike.seconds).step


def fail(stage: Stage, strike: Strike) -> None:
    """The next requests fail in this way."""
    on, action = FAULTS[strike.kind]
    stage.machine.sim.fault(on, action, times=strike.times)


STRIKES: Mapping[Kind, Callable[[Stage, Strike], Remedy | None]] = {
    "worker killed": kill,
    "receiver killed": kill,
    "Redis killed": kill,
    "Redis killed while it writes": tear,
    "Redis' clock jumps": jump,
    "worker frozen past its lease": freeze,
    "receiver frozen": freeze,
    "Redis frozen": freeze,
    "worker restarted": restart,
    "receiver restarted": restart,
    "worker cut off from Redis": cut_off,
    "Redis read-only": refuse("READONLY"),
    "Redis full": refuse("OOM"),
    "Redis unable to save": refuse("MISCONF"),
    "Redis without its primary": refuse("MASTERDOWN"),
    "Redis without its replicas": refuse("NOREPLICAS"),
    "Redis busy with a script": refuse("BUSY"),
    "Redis fails over": fail_over,
    "posts cut before their effect": fail,
    "posts cut after their effect": fail,
    "posts answered 500": fail,
    "posts answered 429": fail,
    "contacts answered 500": fail,
    "completions answered 500": fail,
    "queue deleted": empty_broker,
}
