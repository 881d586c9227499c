"""Redis' clock jumps back by an hour: nobody waits for that hour."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.story.machine import poll
from tests.story.preloaded import needs_compiler, shifted_clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.story.machine import Machine, Person

HOUR = 3600
EACH = 5


@pytest.fixture
def ahead(machine: Machine, tmp_path: Path) -> Iterator[Machine]:
    """A machine whose Redis is an hour ahead."""
    machine.restart("redis", **shifted_clock(tmp_path, seconds=HOUR))
    machine.restart("worker")
    yield machine
    if not machine.lives("redis"):
        machine.start("redis")


@pytest.mark.nightly
@needs_compiler
def test_a_clock_that_jumps_back_makes_nobody_wait_for_it(ahead: Machine) -> None:
    """A contact that waits for a debounce, a retry, or a killed worker's lease is answered once and in time."""
    retrying, held, quiet = ([ahead.person(location) for _ in range(EACH)] for location in ("Plain", "Plain", "Patient"))
    for each in retrying:
        each.fault("completion", {"kind": "status", "status": 429, "headers": {"Retry-After": "12"}}, times=1)
    for each in held:
        each.fault("completion", {"kind": "delay", "seconds": 20}, times=1)
    said = [(each, each.says("Hello")) for each in retrying + held]
    poll("all waiting for another try, or at work", lambda: _all_are(ahead, said, EACH))
    ahead.signal("worker", signal.SIGSTOP)
    said += [(each, each.says("Hello")) for each in quiet]

    ahead.kill("worker")
    ahead.kill("redis")
    ahead.start("redis")
    ahead.start("worker")
    ahead.ready()

    assert [each.settles(one, seconds=40).status for each, one in said] == ["replied"] * len(said)
    assert [len(each.replies) for each, _ in said] == [1] * len(said)
    afterwards = [(each, each.says("And this?")) for each, _ in said]
    assert [each.settles(one).status for each, one in afterwards] == ["replied"] * len(said)


def _all_are(machine: Machine, said: list[tuple[Person, dict[str, str]]], retrying: int) -> bool:
    found = [record.status for _, one in said if (record := machine.record(one["message_id"]))]
    return found[:retrying] == ["retrying"] * retrying and found[retrying:] == ["answering"] * (len(said) - retrying)
