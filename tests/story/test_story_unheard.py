"""A broker that delivers nothing: the conversation stays overdue, the dispatcher logs it, and nothing is lost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from redis import Redis

from tests.keys import key
from tests.story.machine import BIN, poll
from workers.unheard import PATIENCE_SECONDS

if TYPE_CHECKING:
    from tests.story.machine import Machine


def test_a_worker_on_another_queue_is_seen(machine: Machine) -> None:
    """It claims and publishes, and gets nothing: overdue grows past its leases, the log says it, the next worker answers once.

    Slow: the claim stays unheard for longer than the dispatcher's patience.
    """
    machine.kill("worker")
    machine.redis.delete(key("workers"))
    machine.spawn("worker", [str(BIN / "celery"), "-A", "workers", "worker", "-Q", "elsewhere"])
    machine.ready()
    ana = machine.person("Plain")
    said = ana.says("Does anybody hear me?")

    def told() -> bool:
        overdue = machine.http.get(f"{machine.url}/readyz").json()["oldest_overdue_seconds"]
        return overdue > PATIENCE_SECONDS and "dispatcher.unheard" in machine.log("worker")

    poll("the word of an unheard claim", told)
    assert machine.log("worker").count("dispatcher.unheard") == 1

    machine.restart("worker")
    assert ana.settles(said).status == "replied"
    assert (len(ana.replies), ana.completions) == (1, 1)


def test_two_bridges_on_one_broker_leave_each_others_wake_ups_alone(machine: Machine) -> None:
    """Twenty contacts are answered at once: a lane whose wake-up the other bridge took would wait for its lease, 30 s."""
    machine.restart("worker", BRIDGE_LEASE_SECONDS="30")
    broker = machine.environ["REDIS_URL"]
    other = f"{broker.rpartition('/')[0]}/1"
    machine.start("worker-2", REDIS_URL=other, BROKER_URL=broker, BRIDGE_LEASE_SECONDS="30")
    with Redis.from_url(other) as state:
        poll("the other bridge", lambda: state.zcard(key("workers")))
    people = [machine.person("Plain") for _ in range(20)]
    began = time.monotonic()
    said = [each.says("Which of you?", wait=False) for each in people]
    assert {each.settles(one).status for each, one in zip(people, said, strict=True)} == {"replied"}
    assert time.monotonic() - began < 20
    assert [(len(each.replies), each.completions) for each in people] == [(1, 1)] * 20
    assert "turn." not in machine.log("worker-2")
    machine.kill("worker")
