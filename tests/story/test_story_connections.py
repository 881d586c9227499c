"""Connections are counted: under any load a process opens no more than infra/docs/how-to/operate.md says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.story.machine import poll

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.story.machine import Machine

RECEIVER = 64 + 2
WORKER = 32 + 2 + 4


def test_under_load_connections_stay_within_their_bounds(machine: Machine) -> None:
    """Two hundred contacts write at once and two hundred slots answer: receiver and worker use at most 104 connections."""
    machine.restart("worker", WORKER_CONCURRENCY="200")
    machine.sim.order("defaults", completion_seconds=0.2)
    own = {client["addr"] for client in machine.redis.client_list() if client["id"] == str(machine.redis.client_id())}
    sent = machine.sim.order("burst", location_id="Plain", contacts=200, messages_each=1)["contact_ids"]
    most = 0

    def all_replied() -> bool:
        nonlocal most
        most = max(most, len({client["addr"] for client in machine.redis.client_list()} - own))
        return all(_replies(machine, sent))

    poll("all replies", all_replied)
    # Accepts share pipelines, so that the receiver needs few: that there was any load, the worker's show.
    assert WORKER // 3 < most <= RECEIVER + WORKER
    assert _replies(machine, sent) == [1] * 200
    machine.restart("worker")


def _replies(machine: Machine, people: Iterable[str]) -> list[int]:
    posts = machine.sim.ask("counts")["posts"]["by_contact"]
    return [len(posts.get(each, [])) for each in people]
