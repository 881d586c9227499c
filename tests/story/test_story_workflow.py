"""Workflow webhooks: a location that has only these, both protocols at once, and who is refused."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.keys import key
from tests.story.machine import WORKFLOW_SECRET, poll

if TYPE_CHECKING:
    from tests.story.machine import Machine, Person

PAIRS = {"message_id": "{{message.id}}", "conversation_id": "{{conversation.id}}"}
WHOLE = {
    **PAIRS,
    "contact_id": "{{contact.id}}",
    "location_id": "{{location.id}}",
    "message": "{{message.body}}",
    "channel": "{{message.type}}",
}
YES = "Yes, that would be nice."


def calm(person: Person) -> None:
    """Wait until nothing of a contact waits or is worked on."""
    lane = f"{person.location}:{person.id}"
    redis = person.machine.redis
    poll("a lane at rest", lambda: not redis.exists(key("waiting", lane)) and not redis.zscore(key("inflight", of=lane), lane))


@pytest.mark.parametrize(
    "order",
    [
        {"form": "free"},
        {"form": "free", "pairs": PAIRS},
        {"form": "json", "pairs": WHOLE},
        {"form": "form", "pairs": WHOLE},
        {"form": "json", "pairs": {name: WHOLE[name] for name in ("contact_id", "location_id", "message")}},
    ],
)
def test_a_location_with_workflow_webhooks_only(machine: Machine, order: dict[str, Any]) -> None:
    """With any fields in the webhook, the message gets one completion with GHL's own ids and one reply."""
    ana = machine.person("Plain")
    said = ana.says(YES, webhook=False)

    [(status, told)] = ana.hooks(said, **order)

    assert (status, told["status"]) == (202, "accepted")
    assert ana.settles(said).status == "replied"
    assert ana.replies == [f'You said: "{YES}". How can I help?']
    [asked] = ana.requests("assistable")
    assert asked["body"]["last_message_id"] == said["message_id"]
    assert (asked["body"]["conversation_id"], asked["body"]["channel"]) == (ana.conversation, "SMS")
    explained = machine.explain(told["message_id"])
    assert [one["message_id"] for one in explained["messages"]] == [said["message_id"]]
    assert explained == machine.explain(said["message_id"])


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Hello,\nwhen do you open?", 'You said: "Hello,\nwhen do you open?". How can I help?'),
        ('He said "come in", when?', 'You said: "He said "come in", when?". How can I help?'),
    ],
)
def test_a_raw_body_with_two_lines_or_quotes_is_answered(machine: Machine, said: str, answer: str) -> None:
    """GHL inserts such a text without escaping, so the JSON is invalid; it is still answered under GHL's id."""
    machine.apply(Templated={"reconcile_minutes": 0})
    ana = machine.person("Templated")
    message = ana.says(said, webhook=False)

    [(status, told)] = ana.hooks(
        message, form="raw", pairs={name: WHOLE[name] for name in ("contact_id", "location_id", "message")}
    )

    assert (status, told["status"]) == (202, "accepted")
    assert ana.settles(message).status == "replied"
    assert ana.replies == [answer]


def test_a_raw_body_that_cannot_be_read_is_made_up_for(machine: Machine) -> None:
    """Where another field breaks the body, the message is looked for in GHL at once, long before the next sweep.

    Slow: GHL's list is looked at eight seconds after the webhook, when it has the message.
    """
    machine.apply(Broken={"reconcile_minutes": 60})
    ana = machine.person("Broken")
    message = ana.says("Anybody there?", webhook=False)

    [(status, told)] = ana.hooks(message, form="raw", pairs={"name": 'Ann "Annie" Lee', **WHOLE})

    assert (status, told) == (200, {"status": "ignored", "reason": "unparseable"})
    assert ana.settles(message, seconds=40).status == "replied"
    assert len(ana.replies) == 1


@pytest.mark.parametrize("pairs", [{}, PAIRS])
@pytest.mark.parametrize("first", ["marketplace", "workflow", "both"])
def test_both_protocols_are_one_message(machine: Machine, first: str, pairs: dict[str, str]) -> None:
    """The same event by both ways, in any order and at the same time, gets one completion and one reply."""
    ana = machine.person("Patient")
    said = ana.says(YES, webhook=False)
    body = machine.webhook_of(said)
    ways = [lambda: machine.post(body).json(), lambda: ana.hooks(said, pairs=pairs)[0][1]]
    if first == "both":
        with ThreadPoolExecutor() as pool:
            told = list(pool.map(lambda way: way(), ways))
    else:
        told = [way() for way in (ways if first == "marketplace" else reversed(ways))]
    assert sorted(answer["status"] for answer in told) == (["accepted", "duplicate"] if pairs else ["accepted", "accepted"])

    assert ana.settles(said).status == "replied"
    calm(ana)
    assert (ana.completions, len(ana.replies)) == (1, 1)


@pytest.mark.parametrize("first", ["marketplace", "workflow"])
def test_the_other_protocol_may_come_late(machine: Machine, first: str) -> None:
    """During the completion, or after the reply, the second one changes nothing."""
    ana = machine.person("Plain")
    machine.sim.order("defaults", completion_seconds=1.0)
    said = ana.says(YES, webhook=False)
    body = machine.webhook_of(said)
    if first == "marketplace":
        machine.post(body)
    else:
        ana.hooks(said)
    poll("a completion that was asked for", lambda: ana.completions)
    if first == "marketplace":
        ana.hooks(said)
    else:
        assert machine.post(body).json()["status"] == "duplicate"

    assert ana.settles(said).status == "replied"
    ana.hooks(said)
    assert machine.post(body).json()["status"] == "duplicate"
    calm(ana)
    assert (ana.completions, len(ana.replies), ana.most_at_once) == (1, 1, 1)
    told = machine.explain(ana.id)["messages"]
    assert {(one["status"], one["reason"]) for one in told} == {("replied", None), ("skipped", "duplicate")}


def test_the_same_words_again_are_another_message(machine: Machine) -> None:
    """Two true texts get two replies, though their webhooks are equal."""
    ana = machine.person("Plain")
    for _ in range(2):
        said = ana.says(YES, webhook=False)
        ana.hooks(said, copies=2)
        assert ana.settles(said).status == "replied"
        calm(ana)
    assert (ana.completions, len(ana.replies)) == (2, 2)


def test_a_list_that_lags_behind_is_waited_for(machine: Machine) -> None:
    """GHL lists the message only after some seconds: it is answered then, under its own id, and once."""
    ana = machine.person("Plain")
    machine.sim.order("defaults", list_lag_seconds=3)
    said = ana.says(YES, webhook=False)
    ana.hooks(said, pairs={"conversation_id": "{{conversation.id}}"})
    assert ana.settles(said).status == "replied"
    assert machine.post(machine.webhook_of(said)).json()["status"] == "duplicate"
    assert (ana.completions, len(ana.replies)) == (1, 1)
    assert "retrying" in machine.story(said["message_id"])


@pytest.mark.parametrize("first", [pytest.param("marketplace", marks=pytest.mark.nightly), "workflow"])
def test_a_list_that_lags_too_far_behind_doubles_nothing(machine: Machine, first: str) -> None:
    """The event, or its copy under our id, was answered before GHL lists the message: the other one changes nothing.

    Slow: a message that GHL does not list is waited for, eight seconds long.
    """
    ana = machine.person("Plain")
    machine.sim.order("defaults", list_lag_seconds=60)
    said = ana.says(YES, webhook=False)
    if first == "marketplace":
        machine.post(machine.webhook_of(said))
        assert ana.settles(said).status == "replied"
        ana.hooks(said)
    else:
        ana.hooks(said)
        poll("an answer under an id of ours", lambda: ana.replies, seconds=30)
        assert machine.post(machine.webhook_of(said)).json()["status"] == "duplicate"
    poll("the end of the other way", lambda: ("skipped", "duplicate") in outcomes(ana), seconds=30)
    calm(ana)
    assert (outcomes(ana), ana.completions, len(ana.replies)) == ([("replied", None), ("skipped", "duplicate")], 1, 1)


def outcomes(person: Person) -> list[tuple[str, str | None]]:
    """The outcomes of a contact's messages."""
    return sorted(((one["status"], one["reason"]) for one in person.machine.explain(person.id)["messages"]), key=str)


def test_a_killed_worker_loses_no_workflow_webhook(machine: Machine) -> None:
    """If it is killed while it reads GHL's list, another one finds the message's id, and asks once."""
    ana = machine.person("Plain")
    ana.fault("messages", {"kind": "delay", "seconds": 2}, times=1)
    said = ana.says(YES, webhook=False)
    ana.hooks(said)
    poll("a list that is being read", lambda: ana.requests("search"))
    time.sleep(0.3)
    machine.restart("worker")
    assert ana.settles(said).status == "replied"
    assert (ana.completions, len(ana.replies)) == (1, 1)


def test_without_ghl_nothing_is_guessed(machine: Machine) -> None:
    """If GHL can't be read, the turn is retried, before the provider is called."""
    ana = machine.person("Plain")
    ana.fault("search", {"kind": "status", "status": 503}, times=4)
    said = ana.says(YES, webhook=False)
    ana.hooks(said)
    assert ana.settles(said).status == "replied"
    assert (ana.completions, len(ana.replies), len(ana.requests("search"))) == (1, 1, 5)


def test_a_wrong_secret_opens_nothing(machine: Machine) -> None:
    """The status is 401 without details, and nothing is stored; a location's own secret is the only valid one for it."""
    machine.private |= {"guessed-secret", "secret-of-own-hook"}
    machine.apply(OwnHook={"workflow_secret": "secret-of-own-hook"})
    ana, bob = machine.person("Plain"), machine.person("OwnHook")
    for person, good, bad in ((ana, WORKFLOW_SECRET, "secret-of-own-hook"), (bob, "secret-of-own-hook", WORKFLOW_SECRET)):
        said = person.says(YES, webhook=False)
        for headers in ({}, {"X-Bridge-Secret": bad}, {"Authorization": f"Bearer {bad}"}):
            assert person.hooks(said, headers=headers) == [(401, {"status": "unauthorized"})]
        assert person.hooks(said, path="/guessed-secret") == [(401, {"status": "unauthorized"})]
        assert not machine.redis.exists(key("waiting", f"{person.location}:{person.id}"))
        for headers in ({"X-Bridge-Secret": good}, {"Authorization": f"Bearer {good}"}):
            assert person.hooks(said, headers=headers)[0][0] == 202
        assert person.settles(said).status == "replied"
        calm(person)
        assert len(person.replies) == 1


def test_no_log_holds_a_secret_of_a_path(machine: Machine) -> None:
    """The free action can only put it there: neither a right nor a wrong one is logged."""
    machine.private.add("guessed-in-the-path")
    ana = machine.person("Plain")
    said = ana.says(YES, webhook=False)
    assert ana.hooks(said, path="/guessed-in-the-path")[0][0] == 401
    assert ana.hooks(said, path="/guessed-in-the-path/../x")[0][0] in {401, 404}
    assert ana.hooks(said, path=f"/{WORKFLOW_SECRET}")[0][0] == 202
    assert machine.http.get(f"{machine.url}/webhooks/workflow/{WORKFLOW_SECRET}").status_code == 405
    assert ana.settles(said).status == "replied"
    log = machine.log("web")
    assert "webhook.refused" in log
    assert WORKFLOW_SECRET not in log
    assert "guessed-in-the-path" not in log


def test_a_test_run_is_told_what_it_is(machine: Machine) -> None:
    """GHL's "Test" button sends empty values: 200, blank, and no question; an unknown location is named too."""
    ana = machine.person("Plain")
    said = ana.says(YES, webhook=False)
    [(status, told)] = ana.hooks(said, test=True, pairs=PAIRS)
    assert (status, told) == (200, {"status": "ignored", "reason": "blank"})
    cleo = machine.person("Nowhere")
    [(status, told)] = cleo.hooks(cleo.says(YES, webhook=False))
    assert (status, told["reason"]) == (200, "unknown_location")
    assert (ana.completions, cleo.completions) == (0, 0)
