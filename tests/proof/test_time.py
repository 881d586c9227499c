"""The harness' own clock: scripts differ in one line, and nothing that counts on time is left to the server's clock."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

import pytest

from bridge.store.redis.lua import all_parts, all_scripts, script
from tests.proof.cases import Case, run
from tests.proof.clock import REAL_LINE, START_MS, VIRTUAL_LINE, Clock, virtual
from tests.proof.shapes import SHAPES

if TYPE_CHECKING:
    from tests.proof.machine import Machine


@pytest.mark.parametrize("name", sorted(all_scripts()))
def test_a_script_differs_in_the_line_of_its_time(name: str) -> None:
    """Nothing else of it is replaced, and no other line asks for the time."""
    real, changed = script(name).splitlines(keepends=True), virtual(script(name)).splitlines(keepends=True)
    differing = [line for line in unified_diff(real, changed, n=0) if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    assert differing == [f"-{REAL_LINE}", f"+{VIRTUAL_LINE}"]


def test_no_script_has_keys_of_its_own() -> None:
    """The time stands in their place."""
    code = [source.code for source in (*all_scripts().values(), *all_parts().values())]
    assert [one for one in code if "KEYS[" in one or "#KEYS" in one] == []


def test_what_expires_does_so_by_this_clock(machine: Machine) -> None:
    """A key is gone as soon as this clock says so, and one without an expiry stays."""
    redis = machine.plain
    redis.flushall()
    clock = Clock(redis)
    redis.set("{ghlb:}:soon", 1, px=1000)
    redis.set("{ghlb:}:later", 1, px=5000)
    redis.set("{ghlb:}:never", 1)
    clock.advance(1.0)
    assert sorted(redis.keys()) == ["{ghlb:}:later", "{ghlb:}:never"]
    assert 3500 < redis.pttl("{ghlb:}:later") <= 4000
    assert clock.ms == START_MS + 1000


def test_a_run_is_the_same_each_time(machine: Machine) -> None:
    """Its calls, and the moments of what GHL holds, don't depend on how fast this machine is."""
    for shape in SHAPES:
        first, second = run(machine, Case(shape)), run(machine, Case(shape))
        assert first.calls == second.calls
        assert [(row.text, row.at_ms) for row in first.record.rows] == [(row.text, row.at_ms) for row in second.record.rows]
