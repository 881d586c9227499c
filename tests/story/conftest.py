"""One machine for all stories; each finds it whole, and leaves logs that give nothing away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.story.machine import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.story.machine import Machine


@pytest.fixture(scope="session")
def whole_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Redis, simulator, receiver and worker, once for all."""
    machine = build(tmp_path_factory.mktemp("machine"))
    try:
        machine.restore()
        machine.apply(Plain={})
        yield machine
    finally:
        machine.close()


@pytest.fixture
def machine(whole_machine: Machine) -> Iterator[Machine]:
    """The machine as a story finds it, whatever the one before has broken."""
    whole_machine.restore()
    yield whole_machine
    assert whole_machine.leaks() == []
