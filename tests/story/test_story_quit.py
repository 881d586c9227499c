"""A worker stops in order, whatever the host's signal for it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.story.machine import poll

if TYPE_CHECKING:
    from tests.story.machine import Machine


@pytest.mark.parametrize(("number", "remap"), [(signal.SIGQUIT, ""), (signal.SIGTERM, "SIGQUIT")])
def test_a_worker_that_is_told_to_quit_gives_its_work_back(machine: Machine, number: signal.Signals, remap: str) -> None:
    """During a completion it ends within five seconds with status 0; the next worker answers, once.

    Slow: a completion of eight seconds, and a second worker.
    """
    machine.restart("worker", REMAP_SIGTERM=remap)
    ana = machine.person("Plain")
    ana.fault("completion", {"kind": "delay", "seconds": 8.0}, times=1)
    said = ana.says("Is anybody there?")
    poll("a completion in flight", lambda: ana.completions)

    leaving = machine.running["worker"].process
    leaving.send_signal(number)
    assert leaving.wait(5) == 0

    machine.start("worker")
    assert ana.settles(said).status == "replied"
    assert len(ana.replies) == 1
