"""Sentinel without a Sentinel URL: an address that its reconfiguration script moves leads to the primary."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from bridge.cli import redis_server
from tests.story.machine import poll
from tests.story.two_servers import two_servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.story.machine import Machine
    from tests.story.two_servers import TwoServers

SENTINELS = 3


@pytest.fixture
def two(machine: Machine, tmp_path: Path) -> Iterator[TwoServers]:
    """The machine's processes with their own two servers."""
    with two_servers(machine, tmp_path) as two:
        yield two


@pytest.mark.nightly
def test_the_script_of_sentinel_moves_the_address(two: TwoServers, tmp_path: Path) -> None:
    """The primary is killed during conversations: Sentinel promotes the replica, and each is answered once."""
    machine, location = two.machine, two.location()
    poll("a replica", lambda: two.replica.info("replication")["master_link_status"] == "up")
    moved = tmp_path / "moved"
    with ExitStack() as stack:
        for number in range(SENTINELS):
            watches(two, tmp_path / f"sentinel-{number}", moved, stack)
        machine.sim.order("defaults", completion_seconds=1.0)
        people = two.people(location, 12)
        for each in people:
            each.says("Who is there?")
        poll("completions", lambda: len(machine.sim.ask("counts")["completions"]["by_contact"]) >= len(people))
        two.primary.kill()
        poll("the script of a Sentinel", moved.exists)
        two.front.lead_to(int(poll("its words", moved.read_text)))
        two.front.cut()
        poll(
            "a reply each",
            lambda: [len(each.replies) for each in people] == [1] * len(people),
            told=lambda: [len(each.replies) for each in people],
            seconds=60,
        )


def watches(two: TwoServers, folder: Path, moved: Path, stack: ExitStack) -> None:
    """Start a Sentinel whose script writes the port of the new primary."""
    folder.mkdir()
    script = folder / "moves.sh"
    # Sentinel calls it with: name, role, state, old host, old port, new host, new port.
    script.write_text(f'#!/bin/sh\necho "$7" > {moved}.new && mv {moved}.new {moved}\n', encoding="utf-8")
    script.chmod(0o755)
    config = folder / "sentinel.conf"
    config.write_text(
        f"port {redis_server.free_port()}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor bridge 127.0.0.1 {two.primary_port} 2\nsentinel auth-pass bridge {two.password}\n"
        "sentinel down-after-milliseconds bridge 500\nsentinel failover-timeout bridge 3000\n"
        f"sentinel client-reconfig-script bridge {script}\n",
        encoding="utf-8",
    )
    program = redis_server.find()
    process = subprocess.Popen([str(program), str(config), "--sentinel"], stdout=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.kill)
