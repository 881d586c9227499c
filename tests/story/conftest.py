"""One machine for all stories; it is complete at each beginning, and its logs contain no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.story.machine import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.story.machine import Machine


LOCATIONS: dict[str, dict[str, Any]] = {
    "Plain": {},
    "Typed": {},
    "Patient": {"debounce_seconds": 1.0, "debounce_max_seconds": 5.0},
    "Chatty": {"debounce_seconds": 30.0, "debounce_max_seconds": 0.5},
    "Mailing": {"channels": ["Email"]},
    "Hasty": {"provider_timeout_seconds": 0.3},
    "Auto": {"assistable": {"delivery": "auto"}},
    "Late": {"provider_timeout_seconds": 0.5, "assistable": {"delivery": "auto"}},
    "Fresh": {"provider_timeout_seconds": 3, "assistable": {"delivery": "auto"}},
    "Blind": {"contact_lookup": False},
    "Draft": {"mode": "draft"},
    "Off": {"mode": "off"},
    "TextOnly": {"channels": ["SMS"]},
    "Recent": {"max_age_seconds": 3600},
    "Testing": {"required_tags": ["ai_test", "VIP"]},
    "TestingBlind": {"required_tags": ["ai_test"], "contact_lookup": False},
    "Unfinished": {},
    "Leaving": {"debounce_seconds": 1.0},
    "Halted": {},
    "Forgetful": {"max_age_seconds": 0.5},
    "Caring": {"failure_message": "We will call you back.", "dead_letter_tag": "call_back"},
    "Locked": {},
}


@pytest.fixture(scope="session")
def whole_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One Redis, simulator, receiver and worker for all stories."""
    machine = build(tmp_path_factory.mktemp("machine"))
    try:
        # Without a location the receiver would not be ready.
        for name in ("redis", "simulator"):
            machine.start(name)
        machine.apply(**LOCATIONS)
        machine.restore()
        yield machine
    finally:
        machine.close()


@pytest.fixture
def machine(whole_machine: Machine) -> Iterator[Machine]:
    """The complete machine, whatever the story before has broken."""
    whole_machine.restore()
    yield whole_machine
    assert whole_machine.leaks() == []
