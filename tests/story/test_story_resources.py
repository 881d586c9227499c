"""The machine runs out of a resource: no message is lost, and strangers can't use up the receiver's descriptors."""

from __future__ import annotations

import os
import resource
import socket
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.keys import card
from tests.story.machine import poll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.story.machine import Machine

MESSAGES = 300
SLOW = 2000


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Let this process open thousands of connections itself."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.timeout(240)
def test_messages_outlive_a_worker_without_descriptors(machine: Machine) -> None:
    """Three hundred messages and a worker that may open twelve more files: each is answered once, and none is a dead letter.

    Slow: what has found no descriptor is tried again after its delays.
    """
    machine.restart("worker", WORKER_CONCURRENCY="100", GHL_API_URL=machine.sim.url.replace("127.0.0.1", "localhost"))
    limit(machine, "worker", open_files(machine, "worker") + 12)
    dead = card(machine.redis, "dead")
    sent = machine.sim.order("burst", location_id="Plain", contacts=MESSAGES, messages_each=1)["contact_ids"]

    def answered() -> list[int]:
        posts = machine.sim.ask("counts")["posts"]["by_contact"]
        return [len(posts.get(each, [])) for each in sent]

    poll("a worker that lacks descriptors", lambda: "out of resources" in machine.log("worker"), seconds=60)
    limit(machine, "worker", 4096)
    poll("all replies", lambda: all(answered()), seconds=120)
    assert answered() == [1] * MESSAGES
    assert card(machine.redis, "dead") == dead
    machine.restart("worker")


@pytest.mark.timeout(240)
def test_the_receiver_is_reachable_under_heads_that_never_end(machine: Machine, many_descriptors: None) -> None:
    """Two thousand connections with unfinished heads, against 1,024 descriptors: other requests are served at once.

    Slow: two thousand connections are opened.
    """
    del many_descriptors
    url = machine.start_second_receiver()
    limit(machine, "web-2", 1024)
    host, port = url.removeprefix("http://").split(":")
    with ExitStack() as opened:
        slow = [opened.enter_context(socket.create_connection((host, int(port)), timeout=30)) for _ in range(SLOW)]
        for each in slow:
            with_head(each)
        for _ in range(20):
            began = time.monotonic()
            assert httpx.get(f"{url}/readyz", timeout=10, trust_env=False).status_code == 200
            assert time.monotonic() - began < 5
        assert open_files(machine, "web-2") < 1024 // 2
        poll("an end to all of them", lambda: all(ended(each) for each in slow), seconds=60)
    assert httpx.get(f"{url}/readyz", timeout=10, trust_env=False).status_code == 200
    machine.kill("web-2")


def with_head(connection: socket.socket) -> None:
    """Begin a head; the receiver may have closed the connection already."""
    try:
        connection.sendall(b"POST /webhooks/ghl HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    except OSError:
        return


def ended(connection: socket.socket) -> bool:
    """Whether the receiver has closed it."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def limit(machine: Machine, name: str, most: int) -> None:
    """Let a running process have no more descriptors than this."""
    resource.prlimit(machine.running[name].process.pid, resource.RLIMIT_NOFILE, (most, 20000))


def open_files(machine: Machine, name: str) -> int:
    """How many descriptors a process has open."""
    return len(list(Path(f"/proc/{machine.running[name].process.pid}/fd").iterdir()))


@pytest.mark.timeout(240)
def test_messages_outlive_a_worker_without_threads(machine: Machine) -> None:
    """Sixty messages and a worker that may start no more threads: it lives, each is answered once, and none is a dead letter."""
    machine.restart("worker", WORKER_CONCURRENCY="40", GHL_API_URL=machine.sim.url.replace("127.0.0.1", "localhost"))
    dead = card(machine.redis, "dead")
    with without_threads(machine.running["worker"].process.pid):
        sent = machine.sim.order("burst", location_id="Plain", contacts=60, messages_each=1)["contact_ids"]
        poll("a worker that lacks threads", lambda: "out of resources" in machine.log("worker"), seconds=60)

    def posts() -> list[int]:
        found = machine.sim.ask("counts")["posts"]["by_contact"]
        return [len(found.get(each, [])) for each in sent]

    poll("all replies", lambda: all(posts()), seconds=120)
    assert posts() == [1] * 60
    assert machine.lives("worker")
    assert card(machine.redis, "dead") == dead
    machine.restart("worker")


@contextmanager
def without_threads(pid: int) -> Iterator[None]:
    """Let a process start none, by a control group if there is one, else by its user's limit, which root does not have."""
    root = Path("/sys/fs/cgroup")
    group = (root if (root / "cgroup.controllers").exists() else root / "pids") / f"ghl-bridge-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "cgroup.procs").write_text(str(pid), encoding="ascii")
        (group / "pids.max").write_text("1", encoding="ascii")
    except OSError:
        if os.geteuid() == 0:
            pytest.skip("this machine gives no control groups, and root is not limited without")
        limits = resource.prlimit(pid, resource.RLIMIT_NPROC, (1, resource.getrlimit(resource.RLIMIT_NPROC)[1]))
        yield
        resource.prlimit(pid, resource.RLIMIT_NPROC, limits)
        return
    yield
    (group / "pids.max").write_text("max", encoding="ascii")
    (group.parent / "cgroup.procs").write_text(str(pid), encoding="ascii")
    group.rmdir()
