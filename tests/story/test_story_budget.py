"""GHL's limits: a location that has used its rate limit waits without a slot, and the others don't notice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.story.machine import DEFAULTS, poll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.story.machine import Machine

TOO_MANY = {"kind": "status", "status": 429, "body": {"statusCode": 429, "message": "Too Many Requests"}}


@pytest.fixture
def narrow(machine: Machine) -> Iterator[Machine]:
    """A GHL that accepts 30 requests in 3 s per location, and says so."""
    machine.sim.order("defaults", rate_limit=30, rate_seconds=3)
    yield machine
    machine.sim.order("defaults", **DEFAULTS, rate_limit=0, rate_seconds=10)


def refused(machine: Machine) -> int:
    """The number of GHL's 429 answers."""
    counted = machine.sim.ask("counts")["requests"]
    return sum(statuses.get("429", 0) for statuses in counted.values())


def test_a_burst_is_answered_within_the_budget(narrow: Machine) -> None:
    """Two workers, forty contacts of one location: each gets one reply of one completion, and GHL refuses almost nothing.

    Meanwhile somebody who writes to another location is answered as if there were nothing else.

    Slow: the requests are as many as GHL allows in that time.
    """
    machine = narrow
    machine.start("worker-2")
    machine.ready(workers=2)
    before = refused(machine)
    people, other = [machine.person("Plain") for _ in range(40)], machine.person("Auto")
    said = [each.says(f"One of many, {number}", wait=False) for number, each in enumerate(people)]

    assert other.settles(other.says("Just me")).status in {"replied", "delivered_by_provider"}
    assert sum(len(each.replies) for each in people) < len(people)

    assert {each.settles(one, seconds=90).status for each, one in zip(people, said, strict=True)} == {"replied"}
    assert [(each.completions, len(each.replies)) for each in people] == [(1, 1)] * 40
    # What was under way when GHL first told of its limit; from then on its count is kept.
    assert refused(machine) - before <= 30


def test_a_location_that_ghl_refuses_waits_and_dies_not(machine: Machine) -> None:
    """While GHL answers 429 its messages wait, with any number of attempts; another location's are answered meanwhile."""
    waiting = [machine.person("TextOnly") for _ in range(3)]
    for each in waiting:
        each.fault("post", TOO_MANY)
    said = [each.says("Patience") for each in waiting]
    poll("refused posts", lambda: len(waiting[0].requests("post")) >= 1)
    poll("posts that were tried again", lambda: sum(len(each.requests("post")) for each in waiting) >= 4)

    other = machine.person("Plain")
    assert other.settles(other.says("Meanwhile")).status == "replied"
    records = [machine.record(one["message_id"]) for one in said]
    assert {record.status for record in records if record} == {"waiting"}
    assert sum(len(each.requests("post")) for each in waiting) < 20

    machine.sim.http.delete(f"{machine.sim.url}/_sim/faults")
    assert {each.settles(one, seconds=30).status for each, one in zip(waiting, said, strict=True)} == {"replied"}
    assert [(each.completions, len(each.replies)) for each in waiting] == [(1, 1)] * 3
