"""A contact is erased during its answer: no reply is sent, no data is left, and its stop still counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stored import snapshot
from tests.story.machine import poll

if TYPE_CHECKING:
    from tests.story.machine import Machine

# The queue's own records are gone when its task is.
QUEUE = ("celery", "unacked", "_kombu")


def mentions(machine: Machine, id_: str) -> list[str]:
    """The keys with the contact in their name or value."""
    found = (name for name, value in snapshot(machine.redis).items() if id_ in f"{name} {value}")
    return [name for name in found if not name.startswith(QUEUE)]


def test_a_contact_that_is_erased_while_it_is_answered_gets_no_reply(machine: Machine) -> None:
    """The completion returns to a lane that is gone: nothing is posted, and nothing of the contact is stored again."""
    # Longer than a command takes on a busy machine.
    machine.sim.order("defaults", completion_seconds=3.0)
    ana = machine.person("Plain")
    ana.says("Forget me, please")
    poll("the completion's beginning", lambda: ana.completions)

    done = machine.cli("contacts", "erase", "Plain", ana.id)

    assert done.returncode == 0, done.stderr
    poll("the end of the turn", lambda: "turn.fenced" in machine.log("worker") and ana.id in machine.log("worker"))
    assert ana.replies == []
    assert mentions(machine, ana.id) == []
    assert machine.cli("explain", ana.id).returncode == 2


def test_an_erased_contacts_stop_still_counts(machine: Machine) -> None:
    """A contact that wrote STOP and was erased is not answered until it writes START."""
    ana = machine.person("Plain")
    ana.settles(ana.says("STOP"))
    assert machine.cli("contacts", "erase", "Plain", ana.id).returncode == 0
    assert mentions(machine, ana.id) == []

    record = ana.settles(ana.says("Hello again"))
    assert (record.status, record.reason) == ("skipped", "stop_word")
    assert ana.settles(ana.says("START")).status == "replied"
    assert len(ana.replies) == 1
