"""A Redis that answers with a temporary error: the processes survive it, and each contact gets one reply."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.story.machine import poll
from tests.story.redis_faults import FAULTS

if TYPE_CHECKING:
    from tests.story.machine import Machine

FAULT_SECONDS = 3.0
# By day: all writes refused, some refused, nothing answered. `test_story_long_refusals.py` has MASTERDOWN.
FIRST = ("READONLY", "OOM", "BUSY")


@pytest.mark.parametrize("code", [pytest.param(code, marks=() if code in FIRST else pytest.mark.nightly) for code in FAULTS])
def test_an_error_that_redis_answers_passes(machine: Machine, code: str) -> None:
    """For three seconds under load: the worker lives and logs the reason, and each contact is answered once.

    Slow: the fault lasts for longer than a lease, and GHL's retries come after it.
    """
    people = [machine.person("Plain") for _ in range(12)]
    machine.sim.order("defaults", completion_seconds=0.5)
    worker = machine.running["worker"].process.pid
    said = [each.says("Are you there?") for each in people[:8]]
    poll("completions in flight", lambda: any(each.completions for each in people[:8]))

    with FAULTS[code](machine.redis):
        began = time.monotonic()
        said += [each.says("And for me?") for each in people[8:]]
        poll("the fault's time", lambda: time.monotonic() - began > FAULT_SECONDS)
        assert machine.lives("worker"), machine.log("worker")[-3000:]

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 12
    assert [len(each.replies) for each in people] == [1] * 12
    assert machine.running["worker"].process.pid == worker
    assert machine.log("worker").count("Unrecoverable error") == 0


def test_what_is_no_wake_up_is_dropped_and_told(machine: Machine) -> None:
    """The worker logs that it dropped the item, and answers the next contact."""
    ana = machine.person("Plain")
    before = machine.log("worker").count("broker.dropped")

    machine.redis.lpush(machine.queue, "no JSON at all", '"a text"', '{"body": 1}', "[1]", "\xff")

    poll(
        "five dropped items",
        lambda: machine.log("worker").count("broker.dropped") - before == 5,
        told=lambda: machine.log("worker")[-2000:],
    )
    assert ana.settles(ana.says("Still there?")).status == "replied"
