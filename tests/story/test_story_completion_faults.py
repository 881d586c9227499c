"""All faults of a completion service: the contact gets one reply or none, and the number of calls is exact."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from bridge.store.redis.partition_calls import gather, members
from tests.story.machine import poll
from tests.story.test_story_metrics import told

if TYPE_CHECKING:
    from tests.story.machine import Machine, Person

AT_ONCE = {"Retry-After": "0"}


@pytest.fixture
def ana(machine: Machine) -> Person:
    return machine.person("Plain")


def test_two_faults_in_a_row_pass_within_one_try(ana: Person) -> None:
    """After two 500s the third call answers: three calls, one attempt, one reply."""
    ana.fault("completion", {"kind": "status", "status": 500, "headers": AT_ONCE}, times=2)

    said = ana.says("Third time lucky")

    assert ana.settles(said).status == "replied"
    assert (ana.completions, len(ana.replies)) == (3, 1)
    assert ana.machine.story(said["message_id"]).count("asking") == 1


def test_retry_after_is_honoured(ana: Person) -> None:
    """A 429 that asks for a second is repeated after that second and not before."""
    ana.fault("completion", {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}}, times=1)

    assert ana.settles(ana.says("Slowly, slowly")).status == "replied"

    first, second = (each["monotonic"] for each in ana.requests("assistable"))
    assert 1.0 <= second - first < 3.0
    assert len(ana.replies) == 1


def test_a_long_retry_after_becomes_a_durable_wait(ana: Person) -> None:
    """A wait of more than ten seconds has no slot: the message is `retrying`, and due when the service asked."""
    ana.fault("completion", {"kind": "status", "status": 429, "headers": {"Retry-After": "3600"}})

    said = ana.says("Come back in an hour")

    poll("a durable wait", lambda: _status(ana, said) == "retrying")
    [message] = ana.machine.explain(said["message_id"])["messages"]
    assert message["status"] == "retrying"
    retrying = next(each for each in ana.machine.explain(ana.id)["events"] if each["step"] == "retrying")
    assert retrying["wait_seconds"] == 3600
    assert ana.completions == 1
    assert not any(gather(ana.machine.redis, "ZRANGE", "inflight", 0, -1))


def test_a_new_message_does_not_shorten_a_durable_wait(ana: Person) -> None:
    """A turn that waits is not earlier because the contact writes again."""
    ana.fault("completion", {"kind": "status", "status": 429, "headers": {"Retry-After": "3600"}})
    said = ana.says("First")
    poll("a durable wait", lambda: _status(ana, said) == "retrying")

    ana.says("And another thing")
    bob = ana.machine.person("Plain")
    assert bob.settles(bob.says("Meanwhile")).status == "replied"

    assert ana.completions == 1


def test_a_completion_may_take_longer_than_a_lease(ana: Person) -> None:
    """The heartbeat renews the lease while the worker lives: one call, one reply, for any lease."""
    ana.fault("completion", {"kind": "delay", "seconds": 3.2}, times=1)

    assert ana.settles(ana.says("Think it over")).status == "replied"

    assert (ana.completions, len(ana.replies), ana.most_at_once) == (1, 1, 1)


PASSING: list[dict[str, Any]] = [
    {"kind": "cut"},
    {"kind": "cut", "when": "after"},
    {"kind": "html"},
    {"kind": "big", "bytes": 3_000_000},
    {"kind": "status", "status": 502, "body": "<html>bad gateway</html>"},
    {"kind": "status", "status": 402, "body": {"error": "no credit"}},
    {"kind": "status", "status": 408},
    {"kind": "status", "status": 425},
    {"kind": "ok_false", "error": "billing: quota used up"},
]


def test_a_passing_fault_costs_one_more_call(machine: Machine) -> None:
    """A cut, unreadable, oversized or overloaded answer, or missing credit, causes one more call and one answer."""
    people = [machine.person("Plain") for _ in PASSING]
    for each, action in zip(people, PASSING, strict=True):
        each.fault("completion", action, times=1)

    said = [each.says("Try again please") for each in people]

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * len(PASSING)
    assert [(each.completions, len(each.replies)) for each in people] == [(2, 1)] * len(PASSING)


@pytest.mark.parametrize(
    ("action", "said_so"),
    [
        ({"kind": "ok_false", "error": "No GHL conversation found for contact"}, "reports an error"),
        ({"kind": "ok_false", "error": "No access token for location"}, "connect GHL in Assistable again"),
        ({"kind": "status", "status": 400, "body": {"message": "what?"}}, "HTTP 400"),
        ({"kind": "status", "status": 401, "body": {"message": "Unauthorized"}}, "token refused"),
        ({"kind": "status", "status": 404, "body": {"message": "Route not found"}}, "HTTP 404"),
        ({"kind": "status", "status": 307, "headers": {"Location": "http://127.0.0.1:1/"}}, "redirect"),
    ],
)
def test_a_fault_that_does_not_pass_is_a_dead_letter_at_once(ana: Person, action: dict[str, Any], said_so: str) -> None:
    """There is one call and no reply, and `explain` says what is wrong without the service's text."""
    ana.fault("completion", action)

    record = ana.settles(ana.says("Hopeless"))

    assert record.status == "dead"
    assert said_so in record.error
    assert "No GHL" not in record.error
    assert (ana.completions, ana.replies) == (1, [])


def test_after_the_last_try_comes_the_dead_letter(ana: Person) -> None:
    """Three calls in each of four attempts, then `dead`, with the error and the number of attempts; nothing is posted."""
    ana.fault("completion", {"kind": "status", "status": 500, "headers": AT_ONCE})

    said = ana.says("Nobody home")

    assert ana.settles(said).status == "dead"
    told = ana.machine.explain(said["message_id"])
    [message] = told["messages"]
    assert (message["status"], message["error"]) == ("dead", "Assistable: HTTP 500, an object with message, statusCode")
    assert told["events"][-1]["step"] == "dead"
    assert told["events"][-1]["attempts"] == 4
    assert (ana.completions, ana.replies) == (12, [])


def test_the_durable_tries_keep_their_distances(machine: Machine) -> None:
    """A service that never answers is called once per attempt, with the delays of BRIDGE_RETRY_DELAYS between them."""
    ana = machine.person("Hasty")
    ana.fault("completion", {"kind": "hang"})

    record = ana.settles(ana.says("Hello? Hello?"))

    assert record.status == "dead"
    times = [each["monotonic"] for each in ana.requests("assistable")]
    gaps = [later - earlier - 0.3 for earlier, later in pairwise(times)]
    assert len(times) == 4
    assert [gap >= delay for gap, delay in zip(gaps, (0.2, 0.4, 0.8), strict=True)] == [True] * 3
    assert ana.most_at_once == 1


@pytest.mark.parametrize("where", ["headers", "body"])
def test_an_answer_that_trickles_in_ends_with_the_provider_timeout(machine: Machine, where: str) -> None:
    """`provider_timeout_seconds` is the total time of one completion; the next attempt is answered."""
    ana = machine.person("Hasty")
    ana.fault("completion", {"kind": "trickle", "seconds": 60, "where": where}, times=1)

    assert ana.settles(ana.says("Drip drop")).status == "replied"

    assert (ana.completions, len(ana.replies)) == (2, 1)


@pytest.mark.parametrize("text", [None, "   \n "])
def test_an_empty_answer_is_a_decision(ana: Person, text: str | None) -> None:
    """The provider gave no reply: `no_reply`, one call, no post, no retry."""
    ana.fault("completion", {"kind": "empty"} if text is None else {"kind": "text", "text": text})

    assert ana.settles(ana.says("No answer needed")).status == "no_reply"

    assert (ana.completions, ana.replies) == (1, [])


def test_empty_answers_are_no_outage(machine: Machine) -> None:
    """Six contacts whose flow answers with nothing cause one call each, and the provider's circuit stays closed."""
    people = [machine.person("Plain") for _ in range(6)]
    for number, person in enumerate(people):
        person.fault("completion", {"kind": "status", "status": 204 if number % 2 else 200, "body": ""})

    said = [person.says("Nothing to say?") for person in people]

    assert [person.settles(one).status for person, one in zip(people, said, strict=True)] == ["no_reply"] * 6
    assert [(person.completions, person.replies) for person in people] == [(1, [])] * 6
    assert not members(machine.redis, "circuits:open")


def test_a_refusal_is_told_wherever_silence_is(ana: Person) -> None:
    """Its reason is in `explain`, in the worker's log and in the metrics; nothing is posted."""
    refusal = {"role": "assistant", "content": "", "refusal": "I can't help with that"}
    ana.fault("completion", {"kind": "status", "status": 200, "body": {"run": {"response": {"messages": [refusal]}}}})
    series, before = "ghl_bridge_messages_total refusal no_reply", told(ana.machine)
    said = ana.says("Do something forbidden")

    assert ana.settles(said).status == "no_reply"

    [message] = ana.machine.explain(said["message_id"])["messages"]
    assert (message["status"], message["reason"], ana.replies) == ("no_reply", "refusal", [])
    words = ana.machine.cli("explain", said["message_id"]).stdout
    assert "the provider gave no reply: refusal. The model refused to answer." in words
    lines = [line for line in ana.machine.log("worker").splitlines() if "turn.ended" in line and ana.id in line]
    assert all('"reason":"refusal"' in line.replace(" ", "") for line in lines)
    assert lines
    assert "I can't help" not in ana.machine.log("worker")
    assert told(ana.machine)[series] == before[series] + 1


def test_what_the_service_said_is_shown_and_logged_nowhere(ana: Person) -> None:
    """It is shown without the contact's texts that it repeats; no process has logged any of it."""
    ana.fault(
        "completion", {"kind": "status", "status": 400, "body": {"message": "No such assistant 42", "input": "Hopeless wish"}}
    )
    said = ana.says("Hopeless wish")
    assert ana.settles(said).status == "dead"
    event = ana.machine.explain(said["message_id"])["events"][-1]

    shown = ana.machine.cli("dead-letters", "show", event["excerpt_id"], "--said").stdout

    assert "No such assistant 42" in shown
    assert "Hopeless wish" not in shown
    logs = [one.log.read_text(encoding="utf-8", errors="replace") for one in ana.machine.running.values()]
    assert not [log for log in logs if "No such assistant" in log]


def test_a_dead_letter_does_not_hold_the_contact_up(ana: Person) -> None:
    """The next message is a new turn with all its attempts."""
    ana.fault("completion", {"kind": "status", "status": 400}, times=1)
    assert ana.settles(ana.says("Bad luck")).status == "dead"

    assert ana.settles(ana.says("Better luck")).status == "replied"

    assert len(ana.replies) == 1


def test_a_reply_that_the_provider_delivered_is_not_posted(machine: Machine) -> None:
    """With `delivery = auto`, a claimed message id that is found in the conversation is the reply."""
    ana = machine.person("Auto")
    ana.fault("completion", {"kind": "claim", "deliver": True})

    said = ana.says("Who answers?")

    assert ana.settles(said).status == "delivered_by_provider"
    assert ana.replies == []
    assert ana.completions == 1
    [message] = machine.explain(said["message_id"])["messages"]
    assert message["reply_message_ids"] == [machine.sim.ask(f"conversations/{ana.id}")["messages"][-1]["id"]]


def test_a_claim_without_a_delivery_is_posted(machine: Machine) -> None:
    """If a claimed message id never appears in the conversation, the bridge posts the reply, once."""
    ana = machine.person("Auto")
    ana.fault("completion", {"kind": "claim", "deliver": False})

    assert ana.settles(ana.says("Empty promises")).status == "replied"

    assert (ana.completions, len(ana.replies)) == (1, 1)


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        ([{"kind": "claim", "deliver": True}, {"kind": "cut", "when": "after"}], "delivered_by_provider"),
        ([{"kind": "claim", "deliver": True}, {"kind": "status", "status": 500, "when": "after"}], "delivered_by_provider"),
        ([{"kind": "claim", "deliver": True}, {"kind": "html"}], "delivered_by_provider"),
    ],
)
def test_a_lost_answer_of_a_delivering_provider_is_looked_for(
    machine: Machine, action: list[dict[str, Any]], outcome: str
) -> None:
    """A delivery before the lost answer is found in the conversation: no second completion, no post."""
    ana = machine.person("Auto")
    ana.fault("completion", *action, times=1)

    assert ana.settles(ana.says("Lost and found")).status == outcome

    assert (ana.completions, ana.replies) == (1, [])
    assert len(machine.sim.ask("counts")["delivered_by_provider"]["by_contact"][ana.id]) == 1


def test_a_lost_answer_that_was_not_delivered_is_asked_for_again(machine: Machine) -> None:
    """If the last read-back proves that there is no reply, the service is called again: two calls, one reply, in sequence."""
    ana = machine.person("Fresh")
    ana.fault("completion", {"kind": "cut"}, times=1)

    assert ana.settles(ana.says("Say again?")).status == "replied"

    assert (ana.completions, len(ana.replies), ana.most_at_once) == (2, 1, 1)


def _status(person: Person, said: dict[str, Any]) -> str:
    record = person.machine.record(said["message_id"])
    return record.status if record else ""
