"""Single faults that are left out have the same effect as ones that are run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.proof.cases import Case, run, singles
from tests.proof.faults import Fault
from tests.proof.shapes import SHAPES

if TYPE_CHECKING:
    from tests.proof.cases import Result
    from tests.proof.machine import Machine

BY_NAME = {shape.name: shape for shape in SHAPES}


def _seen(result: Result, *, but: int | None = None) -> tuple[object, ...]:
    """The calls and the visible results of a run, without the times and one of the calls."""
    rows = [(row.by, row.contact, row.type, row.text) for row in result.record.rows]
    return [call for number, call in enumerate(result.calls) if number != but], rows, result.record.outcomes, result.broken


def test_a_crash_before_a_call_is_the_one_after_the_call_that_ended_then(machine: Machine) -> None:
    """Nothing happens between the two calls in one task at one moment, so the rest of the run is the same."""
    shape = BY_NAME["three parts"]
    undisturbed = run(machine, Case(shape))
    follows = undisturbed.front.follows
    assert len(follows) > len(undisturbed.calls) / 3
    for number, other in follows.items():
        before = run(machine, Case(shape, {number: Fault.CRASH_BEFORE}))
        after = run(machine, Case(shape, {other: Fault.CRASH_AFTER}))
        assert _seen(before, but=number) == _seen(after), undisturbed.calls[number]


def test_every_call_has_faults_but_those_of_a_contact_that_is_like_another(machine: Machine) -> None:
    """Of three contacts in a location on hold, the second one's turns make the same calls as the first one's."""
    shape = BY_NAME["hold"]
    undisturbed = run(machine, Case(shape))
    of = {
        name: [undisturbed.calls[number] for number, contact in undisturbed.front.contacts.items() if contact == name]
        for name in ("contact", "b", "c")
    }
    met = {number for case in singles(shape, undisturbed) for number in case.faults}
    left_out = {number for number, contact in undisturbed.front.contacts.items() if contact == "b"}
    assert set(range(len(undisturbed.calls))) - met == left_out
    assert of["contact"] == of["b"] == of["c"]


def test_of_many_claims_in_a_row_the_first_and_last_have_faults(machine: Machine) -> None:
    """While a location waits for its budget, each claim in between finds nothing, like those before and after it."""
    shape = BY_NAME["budget wait"]
    undisturbed = run(machine, Case(shape))
    met = {number for case in singles(shape, undisturbed) for number in case.faults}
    left_out = sorted(set(range(len(undisturbed.calls))) - met)
    assert left_out == list(range(left_out[0], left_out[-1] + 1))
    assert undisturbed.calls[left_out[0] - 2 : left_out[-1] + 3] == ["redis claim"] * (len(left_out) + 4)
