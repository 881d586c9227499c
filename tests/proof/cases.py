"""A case is a shape with faults at places; a shape without faults lists the places."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.proof.checker import faults_in, sent
from tests.proof.clock import START_MS
from tests.proof.faults import PASSING, Fault, Stuck, faults_of
from tests.proof.simulation import Simulation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.proof.front import Front
    from tests.proof.machine import Machine
    from tests.proof.record import Record
    from tests.proof.shapes import Shape

# A lane that waits is claimed for again and again; only the first and last of these claims meet faults.
CLAIM, AMID = "redis claim", 2


@dataclass(frozen=True, slots=True)
class Case:
    """Faults by the number of the call; `places` are the names of these calls."""

    shape: Shape
    faults: Mapping[int, Fault] = field(default_factory=dict)
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a case: broken guarantees, calls (see `Front`), and the places of its faults."""

    broken: list[str]
    front: Front
    record: Record

    @property
    def calls(self) -> list[str]:
        """The places of all calls, in order."""
        return self.front.calls

    @property
    def struck(self) -> Mapping[int, Fault]:
        """The faults that happened, by the number of the call."""
        return self.front.struck

    @property
    def places(self) -> tuple[str, ...]:
        """The places of its faults."""
        return tuple(self.calls[number] for number in self.struck)

    def __str__(self) -> str:
        where = " and ".join(f"{fault} at {self.calls[number]}" for number, fault in self.struck.items())
        return f"{where}: {'; '.join(self.broken)}"


def run(machine: Machine, case: Case) -> Result:
    """Run a case and check it. If a fault does not happen at its place, the case fails, because runs must be repeatable."""
    simulation = Simulation(machine, lambda number, _: case.faults.get(number))
    simulation.apply(**case.shape.settings)
    simulation.far.record.own_texts = case.shape.own_texts
    broken: list[str] = []
    try:
        case.shape.begin(simulation)
        record = simulation.run()
    except Stuck as stuck:
        record, broken = simulation.far.record, [str(stuck)]
    broken += faults_in(record)
    if all(fault in PASSING for fault in case.faults.values()) and (case.shape.steady or not case.faults):
        ends = {id_: f"{one.status} {one.reason}".strip() for id_, one in record.outcomes.items() if id_ in case.shape.ends}
        if ends != dict(case.shape.ends):
            broken.append(f"ended as {ends} instead of {dict(case.shape.ends)}")
    broken += [] if case.faults else list(_unlike(case.shape, record))
    if Fault.TWICE in case.faults.values():
        machine.renew_wire()
    result = Result(broken, simulation.front, record)
    if case.places and result.places != case.places:
        broken.append(f"struck at {result.places} instead of {case.places}")
    return result


def _unlike(shape: Shape, record: Record) -> Iterator[str]:
    """The differences between a run without faults and what its shape expects."""
    said = tuple(f"{row.type.removeprefix('TYPE_')} {row.text.partition(' on [')[0].strip()}" for row in sent(record))
    asked = tuple(" ".join((one.service, *one.marks)) for one in record.asked)
    left, took = (*record.tags, *record.assigned), max((row.at_ms - START_MS for row in sent(record)), default=0) / 1000
    if shape.leaves not in {None, left}:
        yield f"left {left} instead of {shape.leaves}"
    if took > shape.within:
        yield f"said the last after {took:.0f} s, not within {shape.within:.0f} s"
    if record.limited:
        yield f"GHL refused {record.limited} requests, which were too many"
    if shape.says not in {None, said}:
        yield f"said {said} instead of {shape.says}"
    if shape.asks not in {None, asked}:
        yield f"asked {asked} instead of {shape.asks}"


def singles(shape: Shape, undisturbed: Result) -> Iterator[Case]:
    """Every fault at every call, but not the same one twice."""
    for number, place in enumerate(undisturbed.calls):
        if undisturbed.front.contacts.get(number) not in shape.alike and not _amid_claims(undisturbed.calls, number):
            for fault in _distinct(undisturbed, number):
                yield Case(shape, {number: fault}, (place,))


def pairs(shape: Shape, first: Case, result: Result) -> Iterator[Case]:
    """Every second fault after a first one with a known result."""
    (number,) = first.faults
    for later in range(number + 1, len(result.calls)):
        for fault in faults_of(result.calls[later]) if result.front.follows.get(later) == number else _distinct(result, later):
            yield Case(shape, {**first.faults, later: fault}, (*first.places, result.calls[later]))


def _amid_claims(calls: list[str], number: int) -> bool:
    """Whether it is one of many claims in a row that find nothing, and neither of the first or last two."""
    return number >= AMID and calls[number - AMID : number + AMID + 1] == [CLAIM] * (2 * AMID + 1)


def _distinct(result: Result, number: int) -> Iterator[Fault]:
    """The faults at a call, without a crash that is the one after another call."""
    again = {Fault.CRASH_BEFORE} if number in result.front.follows else set()
    yield from (fault for fault in faults_of(result.calls[number]) if fault not in again)
