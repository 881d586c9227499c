"""Random kills of everything under load: the short form of `make soak`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.soak.clustered import CLUSTER_KINDS, ClusterStage
from tests.soak.plan import CLUSTER_WEIGHTS, SHORT, plan
from tests.soak.run import run
from tests.soak.sides import Bridge

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(240)
def test_random_kills_lose_double_and_reorder_nothing(tmp_path: Path) -> None:
    """Sixteen seconds with a strike nearly every second: each accepted message is replied to, once and in order.

    Slow: it is those sixteen seconds, a start of all processes and the last retries.
    """
    told: list[str] = []
    planned = plan(seed=23, seconds=16, pauses=(0.7, 1.5), kinds=SHORT)

    outcome = run(planned, Bridge(), tmp_path, tell=told.append)

    assert outcome.verdict.is_clean, (outcome.evidence, told)
    assert (outcome.verdict.accepted, outcome.verdict.replied) == (outcome.verdict.written, outcome.verdict.written)
    assert outcome.recorded == {}
    assert {"worker killed", "receiver killed", "Redis killed", "worker frozen past its lease"} <= outcome.strikes.keys()


@pytest.mark.nightly
@pytest.mark.timeout(480)
def test_random_kills_on_a_cluster_lose_double_and_reorder_nothing(tmp_path: Path) -> None:
    """Two minutes on three primaries with a replica each, which are struck like the processes; each write is confirmed."""
    told: list[str] = []
    planned = plan(seed=3, seconds=120, kinds=CLUSTER_KINDS)

    outcome = run(planned, Bridge(), tmp_path, tell=told.append, on=ClusterStage)

    assert outcome.verdict.is_clean, (outcome.evidence, told)
    assert (outcome.verdict.accepted, outcome.verdict.replied) == (outcome.verdict.written, outcome.verdict.written)
    assert len(outcome.strikes.keys() & CLUSTER_WEIGHTS.keys()) > 3
