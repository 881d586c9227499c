"""The surroundings of the processes fail: memory, name resolution, a read-only file system, a file to restore."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bridge.cli import redis_server
from bridge.cli.redis_data import MANY_FILES
from tests.keys import card
from tests.story.machine import poll
from tests.story.preloaded import failing_names, needs_compiler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.story.machine import Machine, Person

CONTACTS = 12
CGROUPS = Path("/sys/fs/cgroup")
READ_ONLY = ("unshare", "--map-root-user", "--mount", "sh", "-c")


def limited(pid: int, name: str) -> Path | None:
    """Limit a running process to its current memory, by a control group; None if the machine has none."""
    is_v2 = (CGROUPS / "cgroup.controllers").exists()
    group = (CGROUPS if is_v2 else CGROUPS / "memory") / f"ghl-bridge-test-{os.getpid()}-{name}"
    try:
        group.mkdir()
        (group / ("memory.max" if is_v2 else "memory.limit_in_bytes")).write_text("65536", encoding="ascii")
        (group / "cgroup.procs").write_text(str(pid), encoding="ascii")
    except OSError:
        return None
    return group


def say(machine: Machine, text: str) -> list[tuple[Person, dict[str, Any]]]:
    """A message of each of some contacts."""
    people = [machine.person("Plain") for _ in range(CONTACTS)]
    return [(each, each.says(text, wait=False)) for each in people]


def outcomes(said: list[tuple[Person, dict[str, Any]]], *, seconds: float = 40.0) -> list[tuple[str, int]]:
    """How each message ended, and how many replies its contact got."""
    ends = [each.settles(one, seconds=seconds).status for each, one in said]
    return [(end, len(each.replies)) for end, (each, _) in zip(ends, said, strict=True)]


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["web", "worker", "redis"])
def test_the_kernel_ends_a_process_that_wants_more_memory(machine: Machine, name: str) -> None:
    """Out of memory is SIGKILL: started again, it continues, and each contact is answered once."""
    said = say(machine, "Before")
    process = machine.running[name].process
    group = limited(process.pid, name)
    if group is None:
        process.kill()
    said += say(machine, "Meanwhile")
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:  # what it had was enough for it
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL
    machine.start(name)
    machine.ready()

    assert outcomes(said) == [("replied", 1)] * len(said)
    if group is not None:
        poll("an empty group", lambda: _removed(group))


@needs_compiler
@pytest.mark.nightly
def test_names_are_not_found_for_a_while(machine: Machine, tmp_path: Path) -> None:
    """The worker can resolve neither GHL nor the completion service: all wait, none is a dead letter, each is answered once."""
    file, named = tmp_path / "no-names", machine.sim.url.replace("127.0.0.1", "localhost")
    urls = {"GHL_API_URL": named, "ASSISTABLE_URL": f"{named}/v2/ghl-chat-completion"}
    machine.restart("worker", **failing_names(tmp_path, file=file), **urls, BRIDGE_RETRY_DELAYS="0.5,1,2,4,8,16")
    dead = card(machine.redis, "dead")
    file.touch()
    said = say(machine, "Is anybody there?")
    poll("all to be tried in vain", lambda: all("retrying" in machine.story(one["message_id"]) for _, one in said))
    began = time.monotonic()
    poll("a minute without names", lambda: time.monotonic() - began > 60, seconds=90)
    file.unlink()

    assert outcomes(said, seconds=60) == [("replied", 1)] * len(said)
    assert card(machine.redis, "dead") == dead
    machine.restart("worker")


@pytest.fixture
def read_only(machine: Machine) -> Iterator[None]:
    """Receiver and worker on a read-only file system, as in compose.yaml."""
    command = "mount --make-rprivate / && mount -o remount,bind,ro / && exec "
    if sys.platform != "linux" or subprocess.run([*READ_ONLY, f"{command}true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine gives no name space of mounts")
    celery = str(Path(sys.executable).parent / "celery")
    for name, process in (("web", f"{sys.executable} -m bridge.receiver"), ("worker", f"{celery} -A workers worker")):
        machine.kill(name)
        machine.spawn(name, [*READ_ONLY, f"{command}{process}"])
    machine.ready()
    yield
    for name in ("web", "worker"):
        machine.kill(name)
        machine.start(name)


@pytest.mark.usefixtures("read_only")
def test_nothing_is_written_to_the_file_system(machine: Machine) -> None:
    """Receiver and worker store everything in Redis: on a read-only file system each contact is answered."""
    said = say(machine, "Read only")
    assert outcomes(said) == [("replied", 1)] * len(said)


def test_a_snapshot_is_restored(machine: Machine) -> None:
    """Started with a dump.rdb and no append-only file, and then switched to one, Redis continues; nobody is answered again."""
    before = say(machine, "Before the snapshot")
    assert outcomes(before) == [("replied", 1)] * len(before)
    folder = Path(str(machine.redis.config_get("dir")["dir"]))
    machine.redis.save()
    for name in ("worker", "web", "redis"):
        machine.kill(name)
    shutil.rmtree(folder / MANY_FILES)
    machine.redis_command.extend(("--appendonly", "no"))
    machine.start("redis")
    assert machine.redis.config_set("appendonly", "yes")
    poll("a file of its own", lambda: machine.redis.info("persistence")["aof_last_bgrewrite_status"] == "ok")
    poll("the end of that", lambda: not machine.redis.info("persistence")["aof_rewrite_in_progress"])
    del machine.redis_command[-2:]
    machine.kill("redis")
    for name in ("redis", "web", "worker"):
        machine.start(name)
    machine.ready()

    after = say(machine, "After it")
    assert outcomes(after) == [("replied", 1)] * len(after)
    assert [len(each.replies) for each, _ in before] == [1] * len(before)


def test_an_answer_of_assistable_comes_after_the_deadline(machine: Machine) -> None:
    """It may have delivered by itself: its reply is found in the conversation, and neither requested again nor posted."""
    people = [machine.person("Late") for _ in range(CONTACTS)]
    for each in people:
        each.fault("completion", {"kind": "delay", "seconds": 0.6}, {"kind": "claim", "deliver": True}, times=1)
    said = [(each, each.says("Take your time", wait=False)) for each in people]

    assert outcomes(said) == [("delivered_by_provider", 0)] * CONTACTS
    assert [each.completions for each in people] == [1] * CONTACTS
    delivered = machine.sim.ask("counts")["delivered_by_provider"]["by_contact"]
    assert [len(delivered[each.id]) for each in people] == [1] * CONTACTS


def test_redis_starts_empty_on_a_snapshot_alone(tmp_path: Path) -> None:
    """With `appendonly yes` it reads no dump.rdb: the runbook says how to restore one."""
    with redis_server.running(tmp_path) as url:
        _set(url, "kept")
    shutil.rmtree(tmp_path / MANY_FILES)
    assert (tmp_path / "dump.rdb").exists()
    with redis_server.running(tmp_path) as url:
        assert _get(url) is None


def _set(url: str, value: str) -> None:
    from redis import Redis  # noqa: PLC0415

    with Redis.from_url(url) as redis:
        redis.set("it", value)
        redis.save()


def _get(url: str) -> Any:
    from redis import Redis  # noqa: PLC0415

    with Redis.from_url(url) as redis:
        return redis.get("it")


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except OSError:
        return False
    return True
