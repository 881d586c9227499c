"""Every fault at every call of a turn that posts a reply, and some faults of each rule: the guarantees hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.proof.cases import Case, run, singles
from tests.proof.every_fault import REPLIES, broken_by_a_fault
from tests.proof.scenes import SCENES

if TYPE_CHECKING:
    from tests.proof.every_fault import Note
    from tests.proof.machine import Machine
    from tests.proof.shapes import Shape

# Of a scene's faults.
BY_DAY, BY_NIGHT = 6, 150


@pytest.mark.timeout(300)
@pytest.mark.parametrize("shape", REPLIES, ids=lambda shape: shape.name)
def test_no_fault_at_any_call_breaks_a_promise(machine: Machine, shape: Shape, record_property: Note) -> None:
    """Nothing is lost, doubled, reordered or unreported, whatever fails or arrives at whichever call."""
    assert broken_by_a_fault(machine, shape, record_property) == []


@pytest.mark.parametrize("number", range(len(SCENES)), ids=lambda number: SCENES[number].name)
def test_a_rule_holds(machine: Machine, number: int) -> None:
    """A scene has its visible result and its outcomes; some faults at its calls break no rule."""
    scene = SCENES[number]
    undisturbed = run(machine, Case(scene))
    assert undisturbed.broken == []
    cases = list(singles(scene, undisturbed))
    apart = len(cases) // BY_DAY
    assert [str(result) for case in cases[number % apart :: apart] if (result := run(machine, case)).broken] == []


@pytest.mark.nightly
@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", range(len(SCENES)), ids=lambda number: SCENES[number].name)
def test_no_fault_breaks_a_rule(machine: Machine, number: int) -> None:
    """`make nightly` runs thousands of them, `make proof` all."""
    cases = list(singles(SCENES[number], run(machine, Case(SCENES[number]))))
    apart = max(1, len(cases) // BY_NIGHT)
    results = [run(machine, case) for case in cases[number % apart :: apart]]
    assert [str(result) for result in results if result.broken] == []
