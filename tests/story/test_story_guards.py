"""The rules of locations and contacts hold before a completion is requested, and again before a post."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from bridge.model import LocationId
from tests.stored import locations_of
from tests.story.machine import poll

if TYPE_CHECKING:
    from tests.story.machine import Machine, Person

HOUR_MS = 3_600_000


def test_a_draft_is_a_comment_that_the_contact_never_sees(machine: Machine) -> None:
    """In mode draft the reply becomes an InternalComment, and nothing is sent to the contact."""
    ana = machine.person("Draft")

    assert ana.settles(ana.says("Draft me an answer")).status == "replied"

    assert ana.replies == []
    assert ana.comments == ['You said: "Draft me an answer". How can I help?']
    [posted] = ana.requests("post")
    assert {name: posted["body"][name] for name in ("type", "contactId")} == {"type": "InternalComment", "contactId": ana.id}


@pytest.mark.parametrize(
    ("location", "order", "reason"),
    [
        ("Off", {}, "location_paused"),
        ("TextOnly", {"channel": "WhatsApp"}, "channel_off"),
        ("Plain", {"channel": "GMB"}, "channel_off"),
        ("Plain", {"text": ""}, "blank"),
        ("Plain", {"text": " \n\t "}, "blank"),
        ("Plain", {"text": "", "attachments": ["https://example.invalid/a.vcf"]}, "blank"),
        ("Recent", {"date_added": -2 * HOUR_MS}, "too_old"),
    ],
)
def test_a_message_that_deserves_no_answer_is_skipped_with_its_reason(
    machine: Machine, location: str, order: dict[str, Any], reason: str
) -> None:
    """It is accepted and explained, and no completion is requested."""
    ana = machine.person(location)
    if "date_added" in order:
        order = {**order, "date_added": time.time() * 1000 + order["date_added"]}

    said = ana.says(order.pop("text", "Hello") if "text" in order else "Hello", **order)

    record = ana.settles(said)
    assert (record.status, record.reason) == ("skipped", reason)
    [message] = machine.explain(said["message_id"])["messages"]
    assert (message["status"], message["reason"]) == ("skipped", reason)
    assert (ana.completions, ana.requests("post")) == (0, [])


@pytest.mark.parametrize(
    ("location", "contact", "reason"),
    [
        ("Testing", {}, "missing_tag"),
        ("Testing", {"tags": ["ai_test"]}, "missing_tag"),
        ("TestingBlind", {"tags": ["other"]}, "missing_tag"),
        ("Plain", {"tags": ["ai_off"]}, "off_tag"),
        ("Plain", {"tags": ["AI_Off"]}, "off_tag"),
        ("Plain", {"dnd": True}, "dnd"),
        ("Plain", {"dndSettings": {"SMS": {"status": "active"}}}, "dnd"),
        ("Plain", {"dndSettings": {"SMS": {"status": "permanent"}}}, "dnd"),
        ("Testing", {"tags": ["ai_test", "vip", "ai_off"]}, "off_tag"),
    ],
)
def test_a_contact_who_must_not_be_answered_costs_nothing(
    machine: Machine, location: str, contact: dict[str, Any], reason: str
) -> None:
    """Tags and do-not-disturb are read from GHL before the provider is called."""
    ana = machine.person(location, **contact)

    record = ana.settles(ana.says("Hello"))

    assert (record.status, record.reason) == ("skipped", reason)
    assert (ana.completions, ana.requests("post")) == (0, [])


@pytest.mark.parametrize(
    ("location", "contact"),
    [
        ("Testing", {"tags": ["AI_TEST", "vip", "other"]}),
        ("TestingBlind", {"tags": ["ai_test"]}),
        ("Plain", {"dndSettings": {"SMS": {"status": "inactive"}, "Email": {"status": "active"}}}),
        ("Plain", {"tags": ["ai_offline"]}),
    ],
)
def test_a_contact_to_whom_nothing_of_that_applies_is_answered(machine: Machine, location: str, contact: dict[str, Any]) -> None:
    """With all required tags in any case, another channel's block or another tag the reply is sent."""
    ana = machine.person(location, **contact)

    assert ana.settles(ana.says("Hello")).status == "replied"

    assert len(ana.replies) == 1


@pytest.mark.parametrize(("change", "reason"), [({"dnd": True}, "dnd"), ({"tags": ["ai_off"]}, "off_tag")])
def test_what_changes_while_an_answer_is_kept_back_is_respected(machine: Machine, change: dict[str, Any], reason: str) -> None:
    """If the contact opts out before a failed post is repeated, the answer is not posted, although it exists."""
    ana = machine.person("Plain")
    ana.fault("post", {"kind": "status", "status": 500}, times=1)
    said = ana.says("I may change my mind")
    poll("the failed post", lambda: ana.requests("post"))

    ana.becomes(**change)

    record = ana.settles(said)
    assert (record.status, record.reason) == ("skipped", reason)
    assert (ana.completions, ana.replies) == (1, [])


def test_settings_take_effect_without_a_restart(machine: Machine) -> None:
    """Off, on, another assistant, another channel: each `apply` counts from the next turn on."""
    machine.apply(Changing={"mode": "off"})
    ana = machine.person("Changing")
    assert ana.settles(ana.says("One")).reason == "location_paused"

    machine.apply(Changing={"assistable": {"assistant_id": "another-assistant"}})
    assert ana.settles(ana.says("Two")).status == "replied"
    assert ana.requests("assistable")[-1]["body"]["assistant_id"] == "another-assistant"

    machine.apply(Changing={"channels": ["FB"]})
    assert ana.settles(ana.says("Three")).reason == "channel_off"
    assert len(ana.replies) == 1


def test_switched_off_during_a_completion_nothing_is_posted(machine: Machine) -> None:
    """Guards are checked before the post too: an operator's `off` stops an existing answer."""
    ana = machine.person("Halted")
    ana.fault("completion", {"kind": "delay", "seconds": 60.0})
    said = ana.says("Stop the presses")
    poll("the completion", lambda: ana.completions == 1)

    machine.apply(Halted={"mode": "off"})
    machine.sim.http.delete(f"{machine.sim.url}/_sim/faults")

    record = ana.settles(said)
    assert (record.status, record.reason) == ("skipped", "location_paused")
    assert (ana.completions, ana.replies) == (1, [])


def test_a_location_that_is_gone_answers_nobody(machine: Machine) -> None:
    """Messages that wait when a location is removed are skipped as `unknown_location`, without a completion."""
    ana = machine.person("Leaving")
    said = ana.says("Too late")

    locations_of(machine.redis).remove(LocationId("Leaving"))

    record = ana.settles(said)
    assert (record.status, record.reason) == ("skipped", "unknown_location")
    assert ana.completions == 0


def test_a_location_without_provider_settings_says_what_is_missing(machine: Machine) -> None:
    """Its messages become dead letters that name the key to set, without a call."""
    ana = machine.person("Unfinished")

    record = ana.settles(ana.says("Hello"))

    assert record.status == "dead"
    assert "assistant_id" in record.error
    assert ana.requests("assistable") == []


def test_a_contact_that_ghl_can_not_show_is_waited_for(machine: Machine) -> None:
    """A failed look-up is retried before a completion is requested; then the reply is sent."""
    ana = machine.person("Plain")
    ana.fault("contact", {"kind": "status", "status": 429, "headers": {"Retry-After": "0"}}, times=4)

    assert ana.settles(ana.says("Look me up")).status == "replied"

    assert (ana.completions, len(ana.replies)) == (1, 1)


def test_without_contact_lookup_ghl_is_not_asked(machine: Machine) -> None:
    """`contact_lookup = false` saves the request where no required tag needs it."""
    ana = machine.person("Blind")

    assert ana.settles(ana.says("Hello")).status == "replied"

    assert ana.requests("contact") == []


def test_one_contact_of_many_locations_is_many_lanes(machine: Machine) -> None:
    """A rule of one location does not affect the contacts of another."""
    people: list[Person] = [machine.person(location) for location in ("Off", "Plain", "Draft")]

    said = [each.says("Same words everywhere") for each in people]

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["skipped", "replied", "replied"]
