"""Confirmed writes: what a replica lacks was neither accepted nor posted (BRIDGE_CONFIRM_REPLICAS=1)."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.story.machine import poll
from tests.story.two_servers import two_servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.story.machine import Machine
    from tests.story.two_servers import TwoServers


@pytest.fixture
def two(machine: Machine, tmp_path: Path) -> Iterator[TwoServers]:
    """The machine's processes with two servers, both of which must have a write."""
    with two_servers(machine, tmp_path, BRIDGE_CONFIRM_REPLICAS="1") as two:
        poll("a replica", lambda: two.replica.info("replication")["master_link_status"] == "up")
        two.machine.ready()
        yield two


def test_a_stopped_replica_accepts_nothing_and_lets_nothing_be_posted(two: TwoServers) -> None:
    """Webhook and retry get 429, and `/readyz` says why; once the replica is back, everything is answered once.

    Slow: two servers, and the processes are started again; each refusal waits for the replica.
    """
    machine, location = two.machine, two.location()
    machine.sim.order("defaults", completion_seconds=1.0)
    asked, late = two.people(location, 2)
    first = asked.says("Who is there?")
    poll("a completion", lambda: machine.sim.ask("counts")["completions"]["by_contact"].get(asked.id))
    body = machine.webhook_of(late.says("And now?", webhook=False))

    two.replica_process.signal(signal.SIGSTOP)
    assert [machine.post(body).status_code for _ in range(2)] == [429, 429]
    ready = machine.http.get(f"{machine.url}/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
    assert "0 of 1 replicas" in ready.json()["why"]
    poll("a turn that waits", lambda: "retrying" in machine.story(first["message_id"]))
    waits = next(event for event in machine.events(first["message_id"]) if event.step == "retrying")
    assert "0 of 1 replicas" in waits.details["why"]
    assert (asked.replies, late.replies) == ([], [])

    two.replica_process.signal(signal.SIGCONT)
    machine.ready()
    assert (machine.post(body).status_code, machine.post(body).json()["status"]) == (200, "duplicate")
    poll("a reply each", lambda: asked.replies and late.replies, told=lambda: machine.story(first["message_id"]))
    assert (len(asked.replies), asked.completions, len(late.replies)) == (1, 1, 1)
