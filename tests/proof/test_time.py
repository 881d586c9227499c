"""The harness' clock: scripts differ in one line and their beginning, and nothing uses the server's clock."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

import pytest
from redis.exceptions import ResponseError

from bridge.store.redis.lua import all_parts, all_scripts, script
from tests.proof.cases import Case, run
from tests.proof.clock import EXPIRY, FAR_MS, REAL_LINE, START_MS, VIRTUAL_LINE, Clock, virtual
from tests.proof.shapes import SHAPES

if TYPE_CHECKING:
    from tests.proof.machine import Machine


@pytest.mark.parametrize("name", sorted(all_scripts()))
def test_a_script_differs_in_the_line_of_its_time(name: str) -> None:
    """Nothing else is replaced, no other line reads the time, and the beginning sets the expiries."""
    assert virtual(script(name)).startswith(EXPIRY)
    real = script(name).splitlines(keepends=True)
    changed = virtual(script(name)).removeprefix(EXPIRY).splitlines(keepends=True)
    differing = [line for line in unified_diff(real, changed, n=0) if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    assert differing == [f"-{REAL_LINE}", f"+{VIRTUAL_LINE}"]


def test_scripts_use_no_other_command_with_a_time() -> None:
    """The beginning of a script handles three commands and one option of SET."""
    code = [source.code for source in (*all_scripts().values(), *all_parts().values())]
    others = "EXPIRE EXPIREAT PEXPIREAT TTL EXPIRETIME PEXPIRETIME SETEX PSETEX GETEX EX EXAT PXAT".split()  # noqa: SIM905
    assert [one for one in code if any(f"'{other}'" in one for other in others)] == []


def test_what_expires_does_so_by_this_clock(machine: Machine) -> None:
    """A key is gone as soon as this clock says so; one without an expiry stays, and the server's clock does not matter."""
    redis, plain = machine.redis, machine.plain
    plain.flushall()
    clock = redis.clock = Clock(plain)
    script = redis.register_script(f"{REAL_LINE}redis.call('PEXPIRE', KEYS[1], 2000) return redis.call('PTTL', KEYS[1])")
    plain.set("{ghlb:}:script", 1)
    redis.set("{ghlb:}:soon", 1, px=1000)
    with redis.pipeline() as pipe:
        pipe.set("{ghlb:}:never", 1).set("{ghlb:}:later", 1).pexpire("{ghlb:}:later", 5000).execute()
    assert script(keys=["{ghlb:}:script"]) == 2000
    clock.advance(1.0)
    assert sorted(plain.keys()) == ["{ghlb:}:later", "{ghlb:}:never", "{ghlb:}:script"]
    assert plain.pttl("{ghlb:}:later") > FAR_MS / 2
    clock.advance(1.0)
    assert sorted(plain.keys()) == ["{ghlb:}:later", "{ghlb:}:never"]
    assert clock.ms == START_MS + 2000


def test_what_would_expire_by_the_servers_clock_is_named(machine: Machine) -> None:
    """An expiry by the server's clock fails the run."""
    machine.plain.set("{ghlb:}:past", 1, px=60_000)
    with pytest.raises(ResponseError, match=r"the server would expire \{ghlb:\}:past"):
        Clock(machine.plain).advance(1.0)
    machine.plain.flushall()


def test_a_run_is_the_same_each_time(machine: Machine) -> None:
    """Its calls, and the times in GHL, don't depend on the speed of this machine."""
    for shape in SHAPES:
        first, second = run(machine, Case(shape)), run(machine, Case(shape))
        assert first.calls == second.calls
        assert [(row.text, row.at_ms) for row in first.record.rows] == [(row.text, row.at_ms) for row in second.record.rows]
