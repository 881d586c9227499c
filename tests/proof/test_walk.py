"""Walks: days of many contacts under one clock and one seed, with a fault at every twelfth call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.proof.planted import PLANTED, InScript
from tests.proof.stores import FrontedAsyncRedis, VirtualRedis
from tests.proof.walk import WORLDS, shrink, take, walk_of

if TYPE_CHECKING:
    from tests.proof.machine import Machine

# Every world once, and some times over by night; `make proof WALKS=1000` takes more.
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


def test_a_seed_is_one_schedule(machine: Machine) -> None:
    """The same events, and the same faults at the same calls, for as long as nothing is changed."""
    first, second = take(machine, walk_of(5)), take(machine, walk_of(5))
    assert (first.calls, first.struck) == (second.calls, second.struck)


@pytest.mark.timeout(300)
def test_a_broken_promise_shrinks_to_what_breaks_it(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a planted fault (a claim that takes a lane off the schedule) an event and a fault or two are left."""
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
