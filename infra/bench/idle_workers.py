"""The cost of idle workers: the commands that they send, and the CPU of the servers, by the number of workers and of nodes.

Real workers with nothing to do. The broker is a separate Redis, so that a node's commands are those for the state. Commands
within scripts are not counted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bridge.store.redis.connection import connect
from bridge.store.redis.partitions import key
from infra.bench.memory import FERNET_KEY, cpu_seconds
from infra.bench.stage import FOREIGN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.store.redis.connection import Redis

END = "the-end-of-counting"
STARTS_WITHIN_SECONDS = 120.0
# The time (s) for the commands of a start to end.
SETTLES_SECONDS = 5.0
# Sent by the measurement itself, or when a connection is opened.
NOT_COUNTED = ("INFO", "MONITOR", "ECHO", "ZCARD", "AUTH", "HELLO", "SELECT", "CLIENT", "CLUSTER")


def idle(url: str, servers: Sequence[str], broker: str, workers: int, seconds: float) -> tuple[float, float]:
    """The commands a second that all servers get from this many idle workers, and the servers' CPU (ms a second)."""
    with running(url, broker, workers):
        time.sleep(SETTLES_SECONDS)
        before, began = cpu_of(servers), time.perf_counter()
        sent = commands_in(servers, seconds)
        return sent / seconds, (cpu_of(servers) - before) / (time.perf_counter() - began) * 1000


@contextmanager
def running(url: str, broker: str, workers: int) -> Iterator[None]:
    """This many workers, started as in the Procfile. They end with the block."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    environ |= {"REDIS_URL": url, "BROKER_URL": broker, "BRIDGE_SECRET_KEY": FERNET_KEY, "BRIDGE_LOG_LEVEL": "error"}
    command = [sys.executable, "-m", "celery", "-A", "workers", "worker"]
    nothing = subprocess.DEVNULL
    started = [subprocess.Popen(command, env=environ, stdout=nothing, stderr=nothing) for _ in range(workers)]  # noqa: S603 - ours
    try:
        with connect(url) as redis:
            _wait_for(redis, workers)
        yield
    finally:
        for one in started:
            one.kill()
            one.wait()
        with connect(url) as redis:
            redis.delete(key("workers"))


def commands_in(servers: Sequence[str], seconds: float) -> int:
    """How many commands all servers get in this time."""
    counts = [0] * len(servers)
    ready = threading.Barrier(len(servers) + 1)

    def count(number: int) -> None:
        with connect(servers[number]) as redis, redis.monitor() as monitor:
            ready.wait()
            for one in monitor.listen():
                if END in one["command"]:
                    return
                sent = one["client_type"] != "lua" and not one["command"].startswith(NOT_COUNTED)
                counts[number] += sent

    threads = [threading.Thread(target=count, args=(number,)) for number in range(len(servers))]
    for thread in threads:
        thread.start()
    ready.wait()
    time.sleep(seconds)
    for url in servers:
        with connect(url) as redis:
            redis.echo(END)
    for thread in threads:
        thread.join()
    return sum(counts)


def cpu_of(servers: Sequence[str]) -> float:
    """The CPU time of all servers so far (s)."""
    used = 0.0
    for url in servers:
        with connect(url) as redis:
            used += cpu_seconds(redis)
    return used


def _wait_for(redis: Redis, workers: int) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while redis.zcard(key("workers")) < workers:
        if time.monotonic() > deadline:
            raise SystemExit(f"{workers} workers did not start")
        time.sleep(0.1)
