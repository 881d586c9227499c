"""The nightly run: its steps have time limits and the day's seeds, and a report names failures with their commands."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest

from infra.dev import nightly
from infra.dev.nightly import Done, Step, report, run, steps_of


def test_a_day_has_its_own_seeds() -> None:
    """Two nights have different walks, and the same day the same ones."""
    first, second = datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    assert steps_of(first) == steps_of(first)
    differing = {one.title for one, other in zip(steps_of(first), steps_of(second), strict=True) if one != other}
    assert differing == {"walks", "pairs of faults", "soak"}
    assert "20261130000" in steps_of(first)[0].command


@pytest.mark.parametrize(("code", "ends"), [("print('well')", 0), ("import sys; sys.exit(3)", 3)])
def test_a_step_ends_with_its_code(code: str, ends: int) -> None:
    """A failure does not stop the run, and is in the report."""
    done = run(Step("a step", (sys.executable, "-c", code)))
    assert done.code == ends
    told = report(datetime(2026, 11, 30, tzinfo=UTC), "abc", [done])
    assert ("passed" if ends == 0 else "failed with 3") in told
    assert "-c" in told


def test_a_step_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The report says that it was stopped."""
    monkeypatch.setattr(nightly, "PATIENCE_SECONDS", 0.5)
    done = run(Step("a step", (sys.executable, "-uc", "print('begun'); import time; time.sleep(60)")))
    assert done.code is None
    assert isinstance(done, Done)
