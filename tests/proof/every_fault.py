"""Every fault at every call of a turn, by shapes. They are in two test modules, so that two processes can run them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.proof.cases import Case, run, singles
from tests.proof.shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.proof.machine import Machine
    from tests.proof.shapes import Shape

    Note = Callable[[str, object], None]

# Turns that post a reply at once, or read it back, and turns that wait, end without one or start otherwise.
REPLIES, OTHERS = SHAPES[:10], SHAPES[10:]
# How many cases each shape had when this was written, less a few; fewer would mean that the harness no longer finds some.
FEWEST = {
    "one part": 208,
    "three parts": 356,
    "draft": 189,
    "failover": 295,
    "provider that delivers": 224,
    "claim that is not true": 483,
    "provider that delivers late": 333,
    "read-back: it is there": 266,
    "read-back: nothing tells of it": 334,
    "read-back: it is not there": 550,
    "dead letter and replay": 501,
    "dead letter of a burst": 428,
    "media": 265,
    "handover": 339,
    "budget wait": 229,
    "hold": 726,
    "sweep": 589,
    "workflow copy": 450,
    "burst": 409,
}


def broken_by_a_fault(machine: Machine, shape: Shape, note: Note) -> list[str]:
    """Run a turn with each fault at each of its calls. Returns what broke a promise, in words; notes the number of cases."""
    undisturbed = run(machine, Case(shape))
    results = [run(machine, case) for case in singles(shape, undisturbed)]
    note("cases", len(results))
    few = [f"only {len(results)} cases"] if len(results) < FEWEST[shape.name] else []
    return [str(result) for result in (undisturbed, *results) if result.broken] + few
