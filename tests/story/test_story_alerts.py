"""The operator gets alerts about problems, even if no worker is alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.operating.diagnosis import WORKERLESS_SECONDS
from tests.keys import key
from tests.other_side import OtherSide, answering, http
from tests.story.machine import poll

if TYPE_CHECKING:
    from tests.story.machine import Machine, Person

TEN_MINUTES_MS = 600_000


def grow_overdue(machine: Machine, person: Person) -> None:
    """Let ten minutes pass for the waiting conversation."""
    for name, member in (("due", person.location), (f"due:{person.location}", person.id)):
        assert machine.redis.zincrby(key(name, of=person.location), -TEN_MINUTES_MS, member)


def lasting(machine: Machine) -> bool:
    """Let the time pass that a missing worker must last before its alert."""
    seen = machine.redis.hexists(key("alerts", "pending"), "no_workers")
    if seen:
        machine.redis.hincrby(key("alerts", "pending"), "no_workers", -round(WORKERLESS_SECONDS * 1000))
    return bool(seen)


def test_a_receiver_alone_tells_that_no_worker_lives(machine: Machine) -> None:
    """Without a worker and with a conversation ten minutes overdue both alerts arrive, and both end when a worker has started.

    Slow: each alert and its end come with a look at the state, and processes are restarted.
    """
    with OtherSide(answering(http(200))) as operator:

        def told(state: str) -> set[str]:
            documents = [request.document for request in operator.requests]
            return {one["cause"] for one in documents if one["state"] == state} & {"no_workers", "overdue"}

        machine.kill("worker")
        machine.redis.delete(key("workers"))
        machine.start_second_receiver(BRIDGE_ALERT_URL=operator.url)
        person = machine.person("Plain")
        said = person.says("is anybody there?")
        poll("a conversation that waits", lambda: machine.record(said["message_id"]))
        grow_overdue(machine, person)
        poll("a look at the state", lambda: lasting(machine))
        poll("both alerts", lambda: told("begun") == {"no_workers", "overdue"}, told=lambda: told("begun"))
        machine.start("worker-2", BRIDGE_ALERT_URL=operator.url)
        person.settles(said)
        poll("their ends", lambda: told("over") == {"no_workers", "overdue"}, told=lambda: told("over"))
    begun = [request.document for request in operator.requests if request.document["state"] == "begun"]
    assert all(set(one) == {"cause", "text", "state", "at"} for one in begun)
    assert len([one for one in begun if one["cause"] == "no_workers"]) == 1
