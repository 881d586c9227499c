"""Every fault at every call of a turn that waits, ends without a reply or starts otherwise: the guarantees hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.proof.every_fault import OTHERS, broken_by_a_fault

if TYPE_CHECKING:
    from tests.proof.every_fault import Note
    from tests.proof.machine import Machine
    from tests.proof.shapes import Shape


@pytest.mark.timeout(300)
@pytest.mark.parametrize("shape", OTHERS, ids=lambda shape: shape.name)
def test_no_fault_at_any_call_breaks_a_promise(machine: Machine, shape: Shape, record_property: Note) -> None:
    """Nothing is lost, doubled, reordered or unreported, whatever fails or arrives at whichever call."""
    assert broken_by_a_fault(machine, shape, record_property) == []
