"""Walks: days of many contacts with one clock and one seed, and a fault at every twelfth call."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.proof.front import Front
from tests.proof.planted import PLANTED, InScript
from tests.proof.stores import FrontedAsyncRedis, VirtualRedis
from tests.proof.walk import WORLDS, shrink, take, walk_of

if TYPE_CHECKING:
    from tests.proof.faults import Fault
    from tests.proof.machine import Machine

# Every world once, and several times in `make nightly`; `make proof WALKS=1000` runs more.
SEEDS = range(1000, 1000 + len(WORLDS))
MORE = range(SEEDS.stop, SEEDS.stop + 2 * len(WORLDS))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [*SEEDS, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in MORE)])
def test_a_walk_breaks_no_promise(machine: Machine, seed: int) -> None:
    """If one does, its seed and the smallest walk that breaks it too are printed."""
    walk = walk_of(seed)
    outcome = take(machine, walk)
    assert not outcome.broken, f"seed {seed}: {outcome.broken}\n{shrink(machine, walk, outcome)}"
    assert len(outcome.struck) > 20
    assert outcome.seconds > 24 * 3600


def test_a_seed_is_one_schedule(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The calls, faults and times are the same, however often the machine stalls."""
    first = take(machine, walk_of(5))
    enter, numbers = Front.enter, count()

    def stalling(front: Front, *call: Any) -> Fault | None:
        if not next(numbers) % 50:
            time.sleep(0.03)
        return enter(front, *call)

    monkeypatch.setattr(Front, "enter", stalling)
    assert take(machine, walk_of(5)) == first


def test_a_seed_is_the_same_schedule_in_another_process() -> None:
    """They depend neither on the order of sets, nor on the server's seed, nor on earlier runs."""
    command = [sys.executable, "-m", "tests.proof", "--walks", "1", "--seed", "5"]
    told = [
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True).stdout
        for seed in ("1", "2")
    ]
    schedules = {re.sub(r"in \d+ s", "", each) for each in told}
    assert len(schedules) == 1
    assert "1 walks from seed 5 on, 47 hours" in told[0]


@pytest.mark.timeout(300)
def test_a_broken_promise_shrinks_to_what_breaks_it(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a planted fault (a claim that takes a lane off the schedule) one event and one or two faults remain."""
    planted = next(one for one in PLANTED if one.name == "a claim takes off the schedule")
    assert isinstance(planted, InScript)
    for client in (VirtualRedis, FrontedAsyncRedis):
        monkeypatch.setattr(client, "plant", staticmethod(lambda text: text.replace(planted.was, planted.becomes)))
    walk = walk_of(5)
    outcome = take(machine, walk)
    assert outcome.broken
    smaller = shrink(machine, walk, outcome)
    assert take(machine, smaller).broken
    assert (len(smaller.events), len(smaller.faults or {})) <= (2, 3)
