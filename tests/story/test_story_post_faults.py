"""All faults of posts: what may have arrived is looked for, and no contact gets the same reply twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.story.gate import Gate
from tests.story.machine import poll

if TYPE_CHECKING:
    from tests.story.machine import Machine, Person


@pytest.fixture
def ana(machine: Machine) -> Person:
    return machine.person("Plain")


def test_a_post_that_ghl_had_no_time_for_is_repeated(ana: Person) -> None:
    """429 means not sent: the post is retried when GHL said, with the saved answer."""
    ana.fault("post", {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}}, times=1)

    assert ana.settles(ana.says("Busy line")).status == "replied"

    first, second = (each["monotonic"] for each in ana.requests("post"))
    assert 1.0 <= second - first < 3.0
    assert (ana.completions, len(ana.replies)) == (1, 1)


def test_while_ghl_refuses_connections_the_answer_is_kept(machine: Machine) -> None:
    """Nothing was sent, so it is retried until GHL is back: one completion, one reply."""
    ana = machine.person("Blind")
    with Gate(int(machine.sim.url.rpartition(":")[2])) as gate:
        machine.restart("worker", GHL_API_URL=gate.url, BRIDGE_RETRY_DELAYS="0.2,0.2,0.2,0.5,0.5,0.5,0.5,0.5,0.5")
        said = ana.says("Is this thing on?")
        poll("two failed tries", lambda: machine.story(said["message_id"]).count("retrying") >= 1)
        assert machine.story(said["message_id"])[-1] != "dead"

        gate.open()

        assert ana.settles(said).status == "replied"
        assert (ana.completions, len(ana.replies), len(ana.requests("post"))) == (1, 1, 1)
        story = machine.story(said["message_id"])
        assert (story.count("sending"), "not_sent" in story) == (1, True)
        machine.kill("worker")


TAKEN: list[dict[str, Any]] = [
    {"kind": "status", "status": 500, "when": "after"},
    {"kind": "status", "status": 504, "when": "after"},
    {"kind": "status", "status": 408, "when": "after"},
    {"kind": "cut", "when": "after"},
    {"kind": "hang", "when": "after"},
    {"kind": "trickle", "seconds": 10, "where": "headers"},
]
NOT_TAKEN: list[dict[str, Any]] = [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 408},
    {"kind": "cut"},
    {"kind": "hang"},
]
UNREADABLE: list[dict[str, Any]] = [
    {"kind": "html"},
    {"kind": "big", "bytes": 3_000_000},
    {"kind": "trickle", "seconds": 10, "where": "body"},
]


def replied_through(machine: Machine, faults: list[dict[str, Any]]) -> list[tuple[Person, str]]:
    """Let one contact per fault write, whose first post has it; all get replies. Returns them and their messages."""
    people = [machine.person("Plain") for _ in faults]
    for each, action in zip(people, faults, strict=True):
        each.fault("post", action, times=1)
    said = [each.says("Did you get that?") for each in people]
    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * len(faults)
    return [(each, one["message_id"]) for each, one in zip(people, said, strict=True)]


def test_what_ghl_has_taken_is_not_posted_again(machine: Machine) -> None:
    """The post arrived and its answer did not: the reply is found in the conversation, under GHL's id."""
    machine.sim.order("defaults", echo="off")
    for ana, message_id in replied_through(machine, TAKEN):
        assert (ana.completions, len(ana.replies), len(ana.requests("post"))) == (1, 1, 1)
        [sent] = [event.details for event in machine.events(message_id) if event.step == "sent"]
        assert sent["how"] == "found in the conversation"
        assert sent["reply_ids"] == [machine.sim.ask(f"conversations/{ana.id}")["messages"][-1]["id"]]


def test_what_ghl_has_filed_in_another_conversation_is_not_posted_again(machine: Machine) -> None:
    """No event reports the post, and it is not in the contact's conversation: it is found in the other one."""
    machine.sim.order("defaults", echo="off", files_elsewhere=True)
    for ana, message_id in replied_through(machine, TAKEN):
        assert (ana.completions, len(ana.replies), len(ana.requests("post"))) == (1, 1, 1)
        [sent] = [event.details for event in machine.events(message_id) if event.step == "sent"]
        assert sent["how"] == "found in the conversation"


def test_an_echo_settles_what_ghl_has_taken(machine: Machine) -> None:
    """The post arrived and its answer did not: GHL's event of it comes first, and no read-back is needed."""
    for ana, message_id in replied_through(machine, TAKEN):
        assert (ana.completions, len(ana.replies), len(ana.requests("post"))) == (1, 1, 1)
        [sent] = [event.details for event in machine.events(message_id) if event.step == "sent"]
        assert sent["how"] == "heard from GHL"
        assert sent["reply_ids"] == [machine.sim.ask(f"conversations/{ana.id}")["messages"][-1]["id"]]
        assert ana.requests("messages") == []


def test_what_is_proven_absent_is_posted_again(machine: Machine) -> None:
    """After the last look found nothing, the same answer is sent again: two requests, one reply, one completion."""
    for ana, _ in replied_through(machine, NOT_TAKEN):
        assert (ana.completions, len(ana.replies), len(ana.requests("post"))) == (1, 1, 2)
        # A look that comes after the last one was due is both.
        assert len(ana.requests("messages")) in {1, 2}


def test_a_2xx_is_a_reply_however_unreadable(machine: Machine) -> None:
    """Sending again after a 2xx has doubled messages: its status alone counts, and nothing is read back."""
    for ana, _ in replied_through(machine, UNREADABLE):
        assert (ana.completions, len(ana.replies), len(ana.requests("post"))) == (1, 1, 1)
        assert ana.requests("messages") == []


def test_an_email_that_ghl_has_taken_is_not_posted_again(machine: Machine) -> None:
    """GHL's list shows e-mails without their body: the sent one is recognised anyway."""
    ana = machine.person("Mailing")
    ana.fault("post", {"kind": "status", "status": 500, "when": "after"}, times=1)

    assert ana.settles(ana.says("<p>Did you get my letter?</p>", channel="Email")).status == "replied"

    assert (ana.completions, len(ana.replies)) == (1, 1)


@pytest.mark.parametrize("skew", [-90, 90])
def test_a_ghl_whose_clock_differs_is_read_back_right(machine: Machine, ana: Person, skew: int) -> None:
    """GHL's clock dates the attempt: a reply dated before our time is found, one dated after is no proof of absence."""
    machine.sim.order("defaults", clock_skew_seconds=skew)
    try:
        ana.fault("post", {"kind": "status", "status": 500, "when": "after"}, times=1)

        assert ana.settles(ana.says("What time is it?")).status == "replied"

        assert (ana.completions, len(ana.replies)) == (1, 1)
    finally:
        machine.sim.order("defaults", clock_skew_seconds=0)


def test_the_same_answer_as_before_is_not_taken_for_this_one(ana: Person) -> None:
    """A reply of an earlier turn with the same text proves nothing about this one."""
    ana.fault("completion", {"kind": "text", "text": "We open at nine."})
    assert ana.settles(ana.says("When do you open?")).status == "replied"
    ana.fault("post", {"kind": "status", "status": 500}, times=1)

    assert ana.settles(ana.says("When again?")).status == "replied"

    assert ana.replies == ["We open at nine."] * 2


def test_what_can_not_be_settled_is_a_dead_letter_that_says_so(ana: Person) -> None:
    """If GHL can't be read either, nothing is posted a second time."""
    ana.fault("post", {"kind": "cut"})
    ana.fault("messages", {"kind": "status", "status": 429, "headers": {"Retry-After": "0"}})

    said = ana.says("Into the void")

    record = ana.settles(said)
    assert record.status == "dead"
    assert (ana.completions, ana.replies, len(ana.requests("post"))) == (1, [], 1)


def test_an_outage_of_ghl_ends_in_a_dead_letter(ana: Person) -> None:
    """Every attempt proven absent, four attempts: four requests, no reply, and the error says that the outcome was unknown."""
    ana.fault("post", {"kind": "status", "status": 500})

    said = ana.says("Anybody?")

    record = ana.settles(said)
    assert record.status == "dead"
    assert "outcome unknown" in record.error
    assert (ana.completions, ana.replies) == (1, [])
    assert len(ana.requests("post")) == 4


@pytest.mark.parametrize("settings", [{"dnd": True}, {"dndSettings": {"SMS": {"status": "active", "message": "", "code": ""}}}])
def test_a_refusal_because_of_dnd_is_no_failure(machine: Machine, settings: dict[str, Any]) -> None:
    """Without a look-up, GHL's own refusal ends the message as skipped, `dnd`, after one call."""
    ana = machine.person("Blind", **settings)

    record = ana.settles(ana.says("Leave me alone"))

    assert (record.status, record.reason) == ("skipped", "dnd")
    assert (len(ana.requests("post")), ana.replies) == (1, [])


@pytest.mark.parametrize(
    ("status", "body", "said_so"),
    [
        (401, {"message": "Invalid token: access token is invalid"}, "token refused"),
        (401, {"message": "The token is not authorized for this scope."}, "lacks a scope"),
        (403, {"message": "The token does not have access to this location."}, "another location"),
        (400, {"canonicalCode": "CONVERSATIONS_MSG_NO_PHONE", "message": "Missing phone number"}, "no phone number"),
        (400, {"canonicalCode": "CONVERSATIONS_MSG_CHAT_NO_LONGER_ACTIVE"}, "window is over"),
        (422, {"message": ["type must be a string"]}, "HTTP 422"),
    ],
)
def test_a_post_that_ghl_refuses_for_good_is_a_dead_letter_at_once(
    ana: Person, status: int, body: dict[str, Any], said_so: str
) -> None:
    """One request, no retry, and the error says what to do about it."""
    ana.fault("post", {"kind": "status", "status": status, "body": body})

    record = ana.settles(ana.says("No way"))

    assert record.status == "dead"
    assert said_so in record.error
    assert len(ana.requests("post")) == 1


def test_a_wrong_token_is_found_before_a_completion_is_paid_for(machine: Machine, ana: Person) -> None:
    """With contact look-up, a refused token ends the message before the provider is called."""
    machine.sim.order("locations", id="Plain", token="pit-another")
    try:
        assert ana.settles(ana.says("Locked out")).status == "dead"

        assert ana.completions == 0
    finally:
        machine.sim.order("locations", id="Plain", token="pit-secret-of-Plain")


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_bridges_own_echo_is_no_message(machine: Machine, ana: Person, when: str) -> None:
    """GHL's OutboundMessage of our own reply, before or after the answer to our call, starts no turn."""
    machine.sim.order("defaults", echo="before" if when == "before" else "on")
    before = machine.sim.ask("counts")["webhooks"]["by_type"].get("OutboundMessage", 0)

    assert ana.settles(ana.says("Echo!")).status == "replied"

    poll("the echo", lambda: machine.sim.ask("counts")["webhooks"]["by_type"].get("OutboundMessage", 0) > before)
    assert (ana.completions, len(ana.replies)) == (1, 1)
