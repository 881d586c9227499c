"""GHL's outages: waiting turns use no attempts, and are answered within a minute after GHL recovers, oldest first.

Hours are scaled: the ratios between the delays, the outage and `max_age_seconds` are those of production, where the delays are
30, 120, 300, 900, 1800, 3600 and 3600 s and a message older than 6 h is not answered.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bridge.store.redis.partitions import members
from tests.keys import card
from tests.story.machine import DEFAULTS, poll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.story.machine import Machine, Person

HOUR = 3600
DELAYS = (30, 120, 300, 900, 1800, 3600, 3600)
MAX_AGE = 6 * HOUR
READBACK = (6, 30)
READS = ("contact", "search", "messages", "conversation")
POSTS = ("post",)
DOWN = {"kind": "status", "status": 503}
# This machine's worker's.
SLOTS = 20
PROBES = 2


def refused(machine: Machine) -> int:
    """The number of GHL's 429 answers."""
    return sum(statuses.get("429", 0) for statuses in machine.sim.ask("counts")["requests"].values())


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage of these endpoints for some hours. A second of the story is `scale` seconds."""

    hours: float
    scale: float
    endpoints: tuple[str, ...]

    def short(self, *seconds: float) -> str:
        return ",".join(f"{each / self.scale:.4f}" for each in seconds)


OUTAGES = {
    "3 h, all of GHL": Outage(3, 400, READS + POSTS),
    "3 h, posts": Outage(3, 400, POSTS),
    "12 h, all of GHL": Outage(12, 1440, READS + POSTS),
}


@pytest.fixture
def limited(machine: Machine) -> Iterator[Machine]:
    """A GHL with its real limit: 100 requests in 10 s per location."""
    machine.sim.order("defaults", rate_limit=100, rate_seconds=10)
    yield machine
    machine.sim.order("defaults", **DEFAULTS, rate_limit=0, rate_seconds=10)
    machine.kill("worker")


def writes(machine: Machine, location: str, count: int) -> list[tuple[Person, dict[str, Any]]]:
    people = [machine.person(location) for _ in range(count)]
    return [(each, each.says(f"Hello from {each.id}", wait=False)) for each in people]


@pytest.mark.parametrize("outage", [pytest.param(each, id=name, marks=pytest.mark.nightly) for name, each in OUTAGES.items()])
def test_an_outage_of_ghls_leaves_no_dead_letter(limited: Machine, outage: Outage) -> None:
    """Every message from the outage that is not too old gets one reply from one completion; no attempts are used."""
    machine, length = limited, outage.hours * HOUR / outage.scale
    max_age = MAX_AGE / outage.scale
    machine.apply(Outage={"max_age_seconds": max_age})
    machine.restart("worker", BRIDGE_RETRY_DELAYS=outage.short(*DELAYS), BRIDGE_READBACK_SECONDS=outage.short(*READBACK))
    dead, before = card(machine.redis, "dead"), refused(machine)
    for endpoint in outage.endpoints:
        machine.sim.fault(endpoint, DOWN)
    began = time.monotonic()
    early = writes(machine, "Outage", 25)
    poll("an open circuit", lambda: members(machine.redis, "circuits:open"))
    time.sleep(max(0, began + 0.75 * length - time.monotonic()))
    middle = writes(machine, "Outage", 5)
    time.sleep(max(0, began + length - 1 - time.monotonic()))
    late = writes(machine, "Outage", 5)
    time.sleep(max(0, began + length - time.monotonic()))
    assert card(machine.redis, "dead") == dead
    machine.sim.http.delete(f"{machine.sim.url}/_sim/faults")
    over = time.monotonic()

    told = [*early, *middle, *late]
    ended = [each.settles(said, seconds=60) for each, said in told]
    took = time.monotonic() - over
    old = len(early) if length > max_age else 0
    assert took < 60
    assert [(one.status, one.reason) for one in ended[:old]] == [("skipped", "too_old")] * old
    assert {(one.status, one.reason) for one in ended[old:]} == {("replied", "")}
    assert [len(each.replies) for each, _ in told] == [0] * old + [1] * (len(told) - old)
    assert max(each.completions for each, _ in told) == 1
    assert card(machine.redis, "dead") == dead
    assert refused(machine) == before
    posted = sorted((each.requests("post")[-1]["monotonic"], number) for number, (each, _) in enumerate(told) if number >= old)
    # As many as there are slots are under way at once; GHL may have come back to a probe, one of each circuit.
    early_by_far = [number for place, (_, number) in enumerate(posted) if number - old >= place + SLOTS]
    assert len(early_by_far) <= PROBES
