"""Every fault that the harness has found in the code, with the case that found it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.proof.cases import Case, run
from tests.proof.faults import Fault
from tests.proof.scenes import SCENES
from tests.proof.shapes import SHAPES
from tests.proof.walk import take, walk_of

if TYPE_CHECKING:
    from tests.proof.machine import Machine

BY_NAME = {shape.name: shape for shape in (*SHAPES, *SCENES)}

# What happened at which call of which shape; `count` is which call of that name it was.
FOUND: dict[str, tuple[str, str, int, tuple[Fault, ...]]] = {
    "a look-up answered twice was the next one's answer": ("one part", "http GET /contacts/{id}*", 0, (Fault.TWICE,)),
    "a completion answered twice was the post's receipt": ("one part", "http assistable*", 0, (Fault.TWICE,)),
    "an uninstall before the note of a send": ("one part", "redis record*", 1, (Fault.UNINSTALL,)),
    "an uninstall while the conversation was read back": (
        "read-back: it is not there",
        "http GET /conversations/{id}/messages*",
        1,
        (Fault.UNINSTALL,),
    ),
    "a paused worker asked who may deliver": ("provider that delivers", "http assistable*", 0, (Fault.PAUSED_BEFORE,)),
    "a stopped worker asked who may deliver": ("provider that delivers", "http assistable*", 0, (Fault.STOPPED,)),
    "a killed worker's provider was asked again too soon": (
        "provider that delivers late",
        "http assistable*",
        0,
        (Fault.CRASH_AFTER,),
    ),
    "what joined after a crash was taken for delivered": (
        "provider that delivers",
        "http assistable*",
        0,
        (Fault.CRASH_AFTER, Fault.NEWER),
    ),
    "half an answer was followed by a second one": (
        "handover with a note",
        "http POST /conversations/messages*",
        1,
        (Fault.REFUSED,),
    ),
}
SEEDS = {"messages that joined were taken for delivered": 22, "and those that joined behind a burst": 38}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_stays_mended(machine: Machine, name: str) -> None:
    """It is a single fault, or one at each of the following calls."""
    shape, place, count, faults = FOUND[name]
    calls = run(machine, Case(BY_NAME[shape])).calls
    first = [number for number, one in enumerate(calls) if one == place][count]
    result = run(machine, Case(BY_NAME[shape], {first + after: fault for after, fault in enumerate(faults)}))
    assert result.struck
    assert result.broken == []


@pytest.mark.parametrize("fault", [Fault.CRASH_AFTER, Fault.LOST, Fault.PAUSED_AFTER, Fault.STOPPED])
def test_an_answer_on_record_is_never_bought_again(machine: Machine, fault: Fault) -> None:
    """After the record of the post, which saves the answer too, no fault makes the bridge ask the service again."""
    shape = BY_NAME["one part"]
    calls = run(machine, Case(shape)).calls
    asking, note = [number for number, one in enumerate(calls) if one == "redis record*"]
    assert asking < note
    held = [number for number, one in enumerate(calls) if number > note - (fault is not Fault.STOPPED) and one.endswith("*")]
    results = [run(machine, Case(shape, {number: fault}, (calls[number],))) for number in held]
    assert [(str(one), len(one.record.asked)) for one in results if one.broken or len(one.record.asked) != 1] == []


def test_what_waits_while_a_dead_letter_is_written_takes_its_texts_along(machine: Machine) -> None:
    """Before, only a later message included them: the contact's oldest text was answered last."""
    scene = BY_NAME["dead letter and a newer message"]
    asking = run(machine, Case(scene)).calls.index("http assistable*")
    result = run(machine, Case(scene, {asking: Fault.NEWER}))
    assert result.broken == []
    assert [one.marks for one in result.record.asked] == [("m1", "n1"), ("m2",)]


def test_a_sweep_accepts_the_messages_of_a_conversation_in_one_step(machine: Machine) -> None:
    """Before, a failure between two of them hid the second from later sweeps behind the reply to the first."""
    result = run(machine, Case(BY_NAME["sweep: a campaign wrote since"]))
    assert result.broken == []
    assert result.calls.count("redis accept") == 1


def test_a_wait_before_a_read_back_is_no_difference_of_clocks(machine: Machine) -> None:
    """A pair of faults found it: the only read-back is after a crash, and its request to GHL waits seconds for the rate limit."""
    shape = BY_NAME["read-back: nothing tells of it"]
    results = []
    for claim, place in enumerate(run(machine, Case(shape)).calls):
        if place != "redis claim":
            continue
        calls = run(machine, Case(shape, {claim: Fault.CRASH_AFTER})).calls
        paid = [number for number, one in enumerate(calls) if one == "redis acquire*" and number > claim]
        results += [run(machine, Case(shape, {claim: Fault.CRASH_AFTER, one: Fault.LATE})) for one in paid]
    assert [result.broken for result in results] == [[]] * len(results)
    assert results


@pytest.mark.parametrize("name", SEEDS)
def test_walks_that_broke_a_promise_keep_it_now(machine: Machine, name: str) -> None:
    """They are repeated by their seeds."""
    assert take(machine, walk_of(SEEDS[name])).broken == []
