"""Tests of the harness: it must find planted faults in scripts, Python and records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.store.redis.lua import all_scripts, script
from tests.proof.cases import Case, run, singles
from tests.proof.clock import virtual
from tests.proof.planted import PLANTED, InPython, InScript
from tests.proof.planted_rules import RULES
from tests.proof.scenes import SCENES
from tests.proof.shapes import SHAPES
from tests.proof.stores import FrontedAsyncRedis, VirtualRedis

if TYPE_CHECKING:
    from tests.proof.machine import Machine

BY_NAME = {shape.name: shape for shape in (*SHAPES, *SCENES)}

# `make test` runs one of three, `make nightly` all.
BY_DAY_AND_NIGHT = [
    one if number % 3 == 0 else pytest.param(one, marks=pytest.mark.nightly) for number, one in enumerate((*PLANTED, *RULES))
]


def test_what_is_planted_in_scripts_fits_them() -> None:
    """Each replaces a text that a script contains."""
    texts = [virtual(script(name)) for name in all_scripts()]
    scripted = [one for one in (*PLANTED, *RULES) if isinstance(one, InScript)]
    assert [one.name for one in scripted if not any(one.was in text for text in texts)] == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("planted", BY_DAY_AND_NIGHT, ids=lambda planted: planted.name)
def test_a_planted_fault_is_found(machine: Machine, monkeypatch: pytest.MonkeyPatch, planted: InScript | InPython) -> None:
    """One of the single faults of one shape finds it."""
    if isinstance(planted, InScript):
        plant = staticmethod(lambda text: text.replace(planted.was, planted.becomes))
        for client in (VirtualRedis, FrontedAsyncRedis):
            monkeypatch.setattr(client, "plant", plant)
    else:
        was = getattr(planted.owner, planted.attribute, None)
        monkeypatch.setattr(planted.owner, planted.attribute, planted.made(was), raising=False)
    shape = BY_NAME[planted.found_by]
    undisturbed = run(machine, Case(shape))
    found = undisturbed.broken or next((r.broken for case in singles(shape, undisturbed) if (r := run(machine, case)).broken), [])
    assert found, "nobody noticed"
