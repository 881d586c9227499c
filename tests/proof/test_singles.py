"""Every fault at every call of a turn of each shape: the guarantees hold, and every message has an outcome."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.proof.cases import Case, run, singles
from tests.proof.scenes import SCENES
from tests.proof.shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.proof.machine import Machine
    from tests.proof.shapes import Shape

# The numbers when this was written; fewer would mean that the harness no longer finds some.
FEWEST = 7450
# Of a scene's faults.
BY_DAY, BY_NIGHT = 6, 150


@pytest.fixture(scope="module")
def ran() -> list[int]:
    return []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_no_fault_at_any_call_breaks_a_promise(
    machine: Machine, shape: Shape, ran: list[int], record_property: Callable[[str, object], None]
) -> None:
    """Nothing is lost, doubled, reordered or unreported, whatever fails or arrives at whichever call."""
    undisturbed = run(machine, Case(shape))
    assert undisturbed.broken == []
    results = [run(machine, case) for case in singles(shape, undisturbed)]
    assert [str(result) for result in results if result.broken] == []
    ran.append(len(results))
    record_property("cases", len(results))


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


def test_thousands_of_cases_ran(ran: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    """The number of cases is at least that of the shapes' calls and faults."""
    if len(ran) == len(SHAPES):
        with capsys.disabled():
            sys.stdout.write(f"\n{sum(ran) / 1000:.1f} thousand cases of {len(SHAPES)} shapes\n")
        assert sum(ran) >= FEWEST
