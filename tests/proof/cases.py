"""One case is a shape with faults at places; a shape without faults lists the places."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.proof.checker import faults_in
from tests.proof.faults import PASSING, Fault, faults_of
from tests.proof.simulation import Simulation, Stuck

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.proof.machine import Machine
    from tests.proof.record import Record
    from tests.proof.shapes import Shape


@dataclass(frozen=True, slots=True)
class Case:
    """Faults by the number of the call; `places` are the names of these calls."""

    shape: Shape
    faults: Mapping[int, Fault] = field(default_factory=dict)
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a case: the promises that it broke, the calls that it made, and where its faults struck."""

    broken: list[str]
    calls: list[str]
    struck: list[tuple[str, Fault]]
    record: Record

    def __str__(self) -> str:
        where = " and ".join(f"{fault} at {place}" for place, fault in self.struck)
        return f"{where}: {'; '.join(self.broken)}"


def run(machine: Machine, case: Case) -> Result:
    """Run a case and check it."""
    simulation = Simulation(machine, case.faults)
    simulation.apply(**case.shape.settings)
    simulation.far.record.own_texts = case.shape.own_texts
    broken: list[str] = []
    try:
        case.shape.begin(simulation)
        record = simulation.run()
    except Stuck as stuck:
        record, broken = simulation.far.record, [str(stuck)]
    broken += faults_in(record)
    if all(fault in PASSING for fault in case.faults.values()):
        ends = {id_: one.status for id_, one in record.outcomes.items() if id_ in case.shape.ends}
        if ends != dict(case.shape.ends):
            broken.append(f"ended as {ends} instead of {dict(case.shape.ends)}")
    if Fault.TWICE in case.faults.values():
        # What was answered once too often waits in a connection for whoever comes next.
        machine.renew_wire()
    struck = tuple(place for place, _ in simulation.front.struck)
    if case.places and struck != case.places:
        broken.append(f"not repeatable: struck at {struck} instead of {case.places}")
    return Result(broken, simulation.front.calls, simulation.front.struck, record)


def singles(shape: Shape, calls: list[str]) -> Iterator[Case]:
    """Every fault at every call."""
    for number, place in enumerate(calls):
        for fault in faults_of(place):
            yield Case(shape, {number: fault}, (place,))
