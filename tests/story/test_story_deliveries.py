"""GHL accepted a reply, and the carrier did not: it is reported, counted and listed, and nothing is sent again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.other_side import OtherSide, answering, http
from tests.story.machine import poll
from tests.story.test_story_metrics import told

if TYPE_CHECKING:
    from tests.story.machine import Machine, Person


def delivery(machine: Machine, message_id: str) -> str | None:
    """What `explain` shows about a message's reply."""
    [told_of] = [one for one in machine.explain(message_id)["messages"] if one["message_id"] == message_id]
    found: str | None = told_of["delivery"]
    return found


def replied(person: Person, text: str) -> str:
    """Let a contact write and get its reply; returns the message's id."""
    said = person.says(text)
    assert person.settles(said).status == "replied"
    return str(said["message_id"])


def listed(machine: Machine, location: str) -> list[dict[str, Any]]:
    """The result of `conversations undelivered`."""
    done = machine.cli("conversations", "undelivered", "--location", location, "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_reply_that_the_carrier_refused_is_undelivered_and_not_sent_again(machine: Machine) -> None:
    """GHL's event is late, repeated, and followed by an older status: one undelivered reply, one post, one count."""
    machine.sim.order("defaults", echo="off")
    ana, before = machine.person("Plain"), told(machine)
    message_id = replied(ana, "Are you there?")
    assert delivery(machine, message_id) == "accepted"
    for status in ("failed", "failed", "delivered"):
        machine.sim.order("failure", contact_id=ana.id, status=status)
    assert delivery(machine, message_id) == "undelivered"
    assert machine.story(message_id).count("undelivered") == 1
    assert (len(ana.replies), len(ana.requests("post")), ana.completions) == (1, 1, 1)
    after = told(machine)
    counted = {
        one: after[name] - before[name]
        for one in ("accepted", "delivered", "undelivered")
        for name in [f"ghl_bridge_deliveries_total SMS {one}"]
    }
    assert counted == {"accepted": 1, "delivered": 0, "undelivered": 1}
    reply_id = machine.explain(message_id)["messages"][-1]["reply_message_ids"][0]
    [one] = [one for one in listed(machine, "Plain") if one["contact_id"] == ana.id]
    assert (one["reply_id"], one["channel"]) == (reply_id, "SMS")


def test_a_carriers_opt_out_stops_the_channel(machine: Machine) -> None:
    """A contact that opted out at the carrier gets no further reply, and no completion is requested."""
    ana = machine.person("Plain")
    message_id = replied(ana, "Hello?")
    machine.sim.order("failure", contact_id=ana.id, status="opt_out")
    assert delivery(machine, message_id) == "undelivered"
    record = ana.settles(ana.says("Hello again?"))
    assert (record.status, record.reason, ana.completions, len(ana.replies)) == ("skipped", "stop_word", 1, 1)


def undelivered(machine: Machine, location: str = "Plain") -> tuple[Person, str, str]:
    """A contact whose reply did not reach it, the message, and the reply's id."""
    ana = machine.person(location)
    message_id = replied(ana, "Are you there?")
    machine.sim.order("failure", contact_id=ana.id)
    return ana, message_id, machine.explain(message_id)["messages"][-1]["reply_message_ids"][0]


def test_an_undelivered_reply_is_replayed_by_hand(machine: Machine) -> None:
    """The same text is posted once more without a completion; GHL's next status is that of the second reply."""
    ana, message_id, reply_id = undelivered(machine)
    done = machine.cli("conversations", "replay", reply_id)
    assert done.returncode == 0, done.stderr
    poll("a second reply", lambda: len(ana.replies) == 2)
    poll("its outcome", lambda: machine.explain(message_id)["messages"][-1]["status"] == "replied")
    assert (ana.replies[0], ana.completions) == (ana.replies[1], 1)
    assert delivery(machine, message_id) in {"accepted", "delivered"}
    assert "replayed" in machine.story(message_id)
    assert reply_id not in {one["reply_id"] for one in listed(machine, "Plain")}
    again = machine.cli("conversations", "replay", reply_id)
    assert (again.returncode, len(ana.replies)) == (2, 2)


def test_a_replay_is_guarded_like_every_send(machine: Machine) -> None:
    """A contact that opted out meanwhile gets nothing, and a newer answer is followed by an older one only if forced."""
    ana, message_id, reply_id = undelivered(machine)
    ana.settles(ana.says("STOP"))
    assert machine.cli("conversations", "replay", reply_id).returncode == 0
    poll("a skip", lambda: machine.explain(message_id)["messages"][0]["reason"] == "stop_word")
    assert len(ana.replies) == 1

    bob, _, reply_id = undelivered(machine)
    replied(bob, "Hello?")
    refused = machine.cli("conversations", "replay", reply_id)
    assert (refused.returncode, "newer" in refused.stdout) == (1, True)
    assert machine.cli("conversations", "replay", reply_id, "--force").returncode == 0
    poll("the forced reply", lambda: len(bob.replies) == 3)
    assert bob.replies[2] == bob.replies[0]


def test_a_replay_that_is_cut_off_is_no_second_reply(machine: Machine) -> None:
    """GHL accepts the replayed reply and the connection breaks: it is read back, and not posted a third time."""
    ana, message_id, reply_id = undelivered(machine)
    ana.fault("post", {"kind": "cut", "when": "after"}, times=1)
    assert machine.cli("conversations", "replay", reply_id).returncode == 0
    poll("its outcome", lambda: machine.explain(message_id)["messages"][-1]["reply_message_ids"] not in ([], [reply_id]))
    assert len(ana.replies) == 2


def test_a_location_whose_replies_fail_is_told_once(machine: Machine) -> None:
    """The fifth undelivered reply of an hour causes the alert, the fourth does not; it names the location and no contact."""
    people = [machine.person("Testing", tags=["ai_test", "vip"]) for _ in range(5)]
    for each in people:
        replied(each, "Can you see this?")
    with OtherSide(answering(http(200))) as operator:

        def causes() -> list[str]:
            return [request.document["cause"] for request in operator.requests]

        machine.start_second_receiver(BRIDGE_ALERT_URL=operator.url)
        for each in people[:4]:
            machine.sim.order("failure", contact_id=each.id)
        assert len(listed(machine, "Testing")) == 4
        machine.sim.order("failure", contact_id=people[4].id)
        poll("an alert", lambda: "undelivered:Testing" in causes(), told=causes)
        assert causes().count("undelivered:Testing") == 1
        [alert] = [one.document for one in operator.requests if one.document["cause"] == "undelivered:Testing"]
        assert "5 replies" in alert["text"]
        assert not any(each.id in alert["text"] for each in people)
