"""Dead letters, from the failing post to the reply in the end."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.story.machine import poll, toml

if TYPE_CHECKING:
    from tests.story.machine import Machine, Person

NO_PHONE = {"kind": "status", "status": 422, "body": {"message": ["phone must be a string"]}}
REFUSED = {"kind": "status", "status": 401, "body": {"message": "Invalid token: access token is invalid"}}


@pytest.fixture
def ana(machine: Machine) -> Person:
    return machine.person("Plain")


def dead_letters(machine: Machine, *arguments: str) -> list[dict[str, Any]]:
    done = machine.cli("dead-letters", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def letter_of(machine: Machine, person: Person) -> dict[str, Any]:
    (found,) = [each for each in dead_letters(machine, "list", "--location", person.location) if each["contact_id"] == person.id]
    return found


def test_a_replay_brings_the_saved_answer_and_buys_no_other(machine: Machine, ana: Person) -> None:
    """A dead letter has the contract's fields; its replay posts the saved answer, once, and closes it."""
    ana.fault("post", NO_PHONE, times=1)
    said = ana.says("Please call me")
    assert ana.settles(said).status == "dead"
    dead_letter = letter_of(machine, ana)
    assert {"id", "location_id", "conversation_id", "message_ids", "channel", "error", "attempts", "failed_at"} <= set(
        dead_letter
    )
    assert (dead_letter["message_ids"], dead_letter["channel"], dead_letter["attempts"]) == ([said["message_id"]], "SMS", 1)

    assert dead_letters(machine, "replay", dead_letter["id"], "--dry-run") == [
        {"id": dead_letter["id"], "result": "would replay"}
    ]
    assert ana.replies == []
    assert dead_letters(machine, "replay", dead_letter["id"]) == [{"id": dead_letter["id"], "result": "replayed"}]

    assert poll("a reply", lambda: ana.replies) == ['You said: "Please call me". How can I help?']
    assert ana.settles(said).status == "replied"
    assert ana.completions == 1
    assert dead_letters(machine, "replay", dead_letter["id"]) == [{"id": dead_letter["id"], "result": "closed"}]
    assert [step for step in machine.story(said["message_id"]) if step in {"dead", "replayed", "replied"}] == [
        "dead",
        "replayed",
        "replied",
    ]


def test_two_replays_at_once_are_one(machine: Machine, ana: Person) -> None:
    """Of any number of simultaneous replays one happens."""
    ana.fault("post", NO_PHONE, times=1)
    said = ana.says("Twice please")
    ana.settles(said)
    dead_letter = letter_of(machine, ana)["id"]

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: dead_letters(machine, "replay", dead_letter)[0]["result"], range(3)))

    assert sorted(results) == ["closed", "closed", "replayed"]
    assert ana.settles(said).status == "replied"
    assert len(ana.replies) == 1


def test_a_newer_message_takes_a_dead_letter_along(machine: Machine, ana: Person) -> None:
    """The contact's next message is answered together with the dead letter's texts, which is closed as superseded."""
    ana.fault("post", NO_PHONE, times=1)
    first = ana.says("Is Friday free?")
    assert ana.settles(first).status == "dead"

    second = ana.says("Or Monday?")

    assert ana.settles(second).status == "replied"
    assert ana.replies == ['You said: "Is Friday free?\nOr Monday?". How can I help?']
    record = machine.record(first["message_id"])
    assert record is not None
    assert (record.status, record.reason) == ("skipped", "superseded")
    assert [each for each in dead_letters(machine, "list") if each["contact_id"] == ana.id] == []


def test_an_old_dead_letter_is_not_replayed_behind_a_newer_answer(machine: Machine) -> None:
    """After a newer turn was answered, a replay needs --force, and then posts the saved answer."""
    ben = machine.person("Forgetful")
    ben.fault("post", NO_PHONE, times=1)
    old = ben.says("An old question")
    assert ben.settles(old).status == "dead"
    died = time.monotonic()
    dead_letter = letter_of(machine, ben)["id"]
    poll("the letter to be older than its location allows", lambda: time.monotonic() - died > 0.6)
    assert ben.settles(ben.says("A new question")).status == "replied"

    assert dead_letters(machine, "replay", dead_letter)[0]["result"] == "newer"
    assert dead_letters(machine, "replay", dead_letter, "--force")[0]["result"] == "replayed"

    assert ben.settles(old).status == "replied"
    assert ben.replies == ['You said: "A new question". How can I help?', 'You said: "An old question". How can I help?']


def test_a_dropped_dead_letter_is_over(machine: Machine, ana: Person) -> None:
    """The message's outcome says so; an unknown id is exit code 2, and nothing is dropped then."""
    ana.fault("post", NO_PHONE, times=1)
    said = ana.says("Never mind")
    ana.settles(said)
    dead_letter = letter_of(machine, ana)["id"]

    refused = machine.cli("dead-letters", "drop", dead_letter, "nonsense")
    assert (refused.returncode, "nonsense" in refused.stderr) == (2, True)
    assert dead_letters(machine, "drop", dead_letter) == [{"id": dead_letter, "result": "dropped"}]

    record = ana.settles(said)
    assert (record.status, record.reason) == ("skipped", "dropped")
    assert ana.replies == []


def test_the_contact_is_told_and_staff_called_once(machine: Machine) -> None:
    """With failure_message and dead_letter_tag, a dead letter sends the message and sets the tag once."""
    cara = machine.person("Caring")
    cara.fault("completion", {"kind": "status", "status": 422, "body": {"error": "no"}})
    said = cara.says("Help me")

    assert cara.settles(said).status == "dead"
    assert cara.replies == ["We will call you back."]
    assert [each["body"] for each in cara.requests("add_tags")] == [{"tags": ["call_back"]}]
    dead_letters(machine, "replay", letter_of(machine, cara)["id"])
    assert poll("the second death", lambda: [each for each in machine.story(said["message_id"]) if each == "dead"][1:])
    assert cara.replies == ["We will call you back."]


def test_three_refused_logins_put_a_location_on_hold(machine: Machine) -> None:
    """Messages after three refused logins wait without becoming dead letters, and a changed token releases everything."""
    machine.sim.order("locations", id="Locked", token="pit-rotated-in-ghl")
    people = [machine.person("Locked") for _ in range(6)]
    dead = [each.says("Hello") for each in people[:3]]
    assert [each.settles(said).status for each, said in zip(people, dead, strict=False)] == ["dead"] * 3

    waiting = [each.says("Hello again") for each in people[3:]]
    shown = json.loads(machine.cli("locations", "list", "--json").stdout)
    assert {each["id"]: each["state"] for each in shown}["Locked"] == "hold"
    assert "on hold" in machine.cli("doctor", "--location", "Locked").stdout
    assert {status(machine, said) for said in waiting} == {"waiting"}

    changed = {
        "ghl_token": "pit-rotated-in-ghl",
        "debounce_seconds": 0.1,
        "assistable": {"assistant_id": "a", "delivery": "bridge"},
    }
    assert "no longer on hold" in machine.cli("locations", "apply", "-", stdin=toml({"Locked": changed})).stdout

    poll("a reply to everybody", lambda: all(each.replies for each in people))
    for each, said in zip(people, [*dead, *waiting], strict=True):
        assert each.settles(said).status == "replied"
        assert len(each.replies) == 1


def test_faults_of_a_server_never_put_a_location_on_hold(machine: Machine) -> None:
    """This holds for any number of 5xx."""
    for _ in range(2):
        people = [machine.person("Plain") for _ in range(2)]
        for each in people:
            each.fault("completion", {"kind": "status", "status": 500, "body": {}, "headers": {"Retry-After": "0"}})
        said = [each.says("Hello") for each in people]
        assert [each.settles(one, seconds=40).status for each, one in zip(people, said, strict=True)] == ["dead"] * 2
        # Three in a row are an outage, in which nobody's tries are used up.
        machine.forget_circuits()
    shown = json.loads(machine.cli("locations", "list", "--json").stdout)
    assert {each["id"]: each["state"] for each in shown}["Plain"] == "active"


def test_a_worker_that_is_told_to_stop_gives_its_work_back(machine: Machine) -> None:
    """SIGTERM ends a worker whose 20 completions hang; another one continues at once, with one reply each."""
    people = [machine.person("Plain") for _ in range(20)]
    machine.sim.fault("completion", {"kind": "delay", "seconds": 30}, location_id="Plain", times=20)
    said = [each.says("Hello") for each in people]
    poll("twenty completions in flight", lambda: all(each.completions == 1 for each in people))
    # Long: a wake-up that the leaving worker takes along would be missed for a lease, and a busy machine may need its time.
    machine.start("worker-2", BRIDGE_LEASE_SECONDS="60")
    machine.ready(workers=2)

    assert machine.stop("worker", seconds=15) == 0

    for each, one in zip(people, said, strict=True):
        assert each.settles(one).status == "replied"
        assert (each.completions, len(each.replies)) == (2, 1)


def status(machine: Machine, said: dict[str, Any]) -> str:
    record = machine.record(said["message_id"])
    return record.status if record else ""
