"""Missed webhooks: their messages are found in GHL and answered, once."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.keys import key
from tests.story.machine import Person, poll

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.story.machine import Machine


def fresh(machine: Machine, **settings: Any) -> str:
    """A new location for a story; half a minute's worth of sweeps pass in a second."""
    location = f"L{uuid4().hex[:19]}"
    machine.apply(**{location: {"reconcile_minutes": 0.02, **settings}})
    return location


def swept(machine: Machine, location: str) -> None:
    """Wait until the location was swept twice more: the first of them may have begun before."""
    for _ in range(2):
        before = machine.redis.hgetall(key("sweep", location))
        poll(f"a sweep of {location}", lambda before=before: machine.redis.hgetall(key("sweep", location)) != before)  # type: ignore[misc]


def answered(person: Person, said: Mapping[str, Any], *, seconds: float = 30.0) -> str:
    return person.settles(said, seconds=seconds).status


@pytest.fixture
def silent(machine: Machine) -> Iterator[Machine]:
    """No webhook leaves GHL."""
    machine.sim.order("defaults", webhook_url="")
    yield machine
    machine.sim.order("defaults", webhook_url=f"{machine.url}/webhooks/ghl")


def test_dropped_webhooks_are_found_and_answered_once(machine: Machine) -> None:
    """With some webhooks missing each message has one reply, and found messages are marked as such."""
    location = fresh(machine)
    people = [machine.person(location) for _ in range(12)]

    said = [each.says(f"I am {number}", webhook=number % 2 == 0) for number, each in enumerate(people)]

    assert {answered(each, one) for each, one in zip(people, said, strict=True)} == {"replied"}
    assert [(each.completions, len(each.replies)) for each in people] == [(1, 1)] * 12
    by = [machine.events(one["message_id"])[0].details.get("by") for one in said]
    assert by == [None, "sweep"] * 6
    swept(machine, location)
    assert [(each.completions, len(each.replies)) for each in people] == [(1, 1)] * 12


def test_a_webhook_that_comes_after_the_sweep_is_a_duplicate(machine: Machine) -> None:
    """GHL's late delivery changes nothing."""
    ana = machine.person(fresh(machine))
    said = ana.says("Was it lost?", webhook=False)
    assert answered(ana, said) == "replied"
    assert machine.post(machine.webhook_of(said)).json()["status"] == "duplicate"
    assert (ana.completions, len(ana.replies)) == (1, 1)


def test_it_runs_with_no_webhook_at_all(silent: Machine) -> None:
    """Without a public address a whole conversation on several channels is answered once and in order."""
    location = fresh(silent, channels=["SMS", "WhatsApp", "Email"])
    ana, bob = silent.person(location), silent.person(location)

    for number in range(3):
        said = [ana.says(f"Question {number}", channel="WhatsApp"), bob.says(f"<p>Letter {number}</p>", channel="Email")]
        assert [answered(each, one) for each, one in zip((ana, bob), said, strict=True)] == ["replied", "replied"]

    assert [len(each.replies) for each in (ana, bob)] == [3, 3]
    assert [(each.completions, each.most_at_once) for each in (ana, bob)] == [(3, 1), (3, 1)]
    inputs = [each["body"]["input"] for each in ana.requests("assistable")]
    assert inputs == [f"Question {number}" for number in range(3)]


def test_nothing_from_before_the_location_was_applied_is_answered(silent: Machine) -> None:
    """Only `reconcile` does, and a dry run first shows what that would be."""
    location = f"L{uuid4().hex[:19]}"
    silent.private.add(f"pit-secret-of-{location}")
    silent.sim.order("locations", id=location, token=f"pit-secret-of-{location}")
    ana = silent.person(location)
    early = ana.says("Long before you came", date_added=(time.time() - 60) * 1000)
    silent.apply(**{location: {"reconcile_minutes": 0.02}})
    bob = silent.person(location)
    assert answered(bob, bob.says("After you came")) == "replied"
    swept(silent, location)
    assert silent.record(early["message_id"]) is None

    dry = silent.cli("reconcile", "--location", location, "--since", "1h", "--dry-run", "--json")
    assert dry.returncode == 0, dry.stderr
    assert [(one["message_id"], one["outcome"]) for one in json.loads(dry.stdout)[0]["found"]] == [
        (early["message_id"], "missing")
    ]
    assert silent.record(early["message_id"]) is None
    assert silent.cli("reconcile", "--location", location, "--since", "1h").returncode == 0
    assert answered(ana, early) == "replied"
    assert silent.cli("reconcile", "--location", location, "--since", "30d").returncode == 2


def test_too_old_is_too_old(silent: Machine) -> None:
    """`max_age_seconds` counts for found messages too: they are skipped with that reason."""
    location = fresh(silent, max_age_seconds=60)
    ana = silent.person(location)
    old = ana.says("From the day before", date_added=(time.time() - 7200) * 1000)
    assert silent.cli("reconcile", "--location", location, "--since", "1d").returncode == 0
    record = ana.settles(old)
    assert (record.status, record.reason) == ("skipped", "too_old")


def test_after_the_receiver_was_down_everything_is_swept_at_once(machine: Machine) -> None:
    """It does not wait for the next ten minutes: lost webhooks are found as soon as the receiver is back."""
    location = fresh(machine, reconcile_minutes=10)
    ana = machine.person(location)
    assert answered(ana, ana.says("Before")) == "replied"
    machine.kill("web")
    said = ana.says("Nobody hears me", webhook=False)
    # As if it had been away for longer than a beat is believed.
    machine.redis.delete(key("receiving"))
    assert machine.record(said["message_id"]) is None
    machine.start("web")
    assert answered(ana, said) == "replied"
    assert len(ana.replies) == 2


def test_a_person_who_answered_is_not_interrupted(silent: Machine) -> None:
    """Messages that staff answered before the sweep are not answered again."""
    location = fresh(silent)
    ana = silent.person(location)
    # The person is quicker than any sweep.
    silent.signal("worker", signal.SIGSTOP)
    early = ana.says("Who is quicker?")
    silent.sim.order("human", contact_id=ana.id, location_id=location, text="I am")
    silent.signal("worker", signal.SIGCONT)
    bob = silent.person(location)
    assert answered(bob, bob.says("And me?"), seconds=40) == "replied"
    swept(silent, location)
    assert silent.record(early["message_id"]) is None
    assert ana.replies == []


def test_two_workers_sweep_a_location_once(silent: Machine) -> None:
    """There is one sweep at a time: twenty lost messages are twenty completions and twenty replies."""
    silent.start("worker-2")
    silent.ready(workers=2)
    location = fresh(silent)
    people = [silent.person(location) for _ in range(20)]
    said = [each.says("Hello there") for each in people]
    assert {answered(each, one, seconds=60) for each, one in zip(people, said, strict=True)} == {"replied"}
    assert [(each.completions, len(each.replies)) for each in people] == [(1, 1)] * 20


def test_the_sweep_doesn_t_notice_much_where_nothing_is_missed(machine: Machine) -> None:
    """A location without messages costs one request per sweep, and no conversation is read."""
    location = fresh(machine)
    ana = machine.person(location)
    assert answered(ana, ana.says("Hello")) == "replied"
    before = len(machine.sim.ask("requests", endpoint="messages")["requests"])
    searched = len([one for one in machine.sim.ask("requests", endpoint="search")["requests"] if one["location_id"] == location])
    poll(
        "three sweeps",
        lambda: (
            len([one for one in machine.sim.ask("requests", endpoint="search")["requests"] if one["location_id"] == location])
            >= searched + 3
        ),
    )
    after = [one for one in machine.sim.ask("requests", endpoint="messages")["requests"][before:] if one["contact_id"] == ana.id]
    assert after == []
