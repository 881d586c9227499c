"""A message gets its reply: once, on its own channel, complete and without additions."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from bridge.simulator.records import fingerprint
from tests.story.machine import ASSISTABLE_TOKEN, poll

if TYPE_CHECKING:
    from tests.story.machine import Machine

FRIDAY = "Is there a free slot on Friday?"


def test_a_message_gets_exactly_one_reply(machine: Machine) -> None:
    """One signed webhook causes one completion with the eight documented fields and one post in the form of an SMS."""
    ana = machine.person("Plain")

    said = ana.says(FRIDAY)

    [answer] = said["answers"]
    ids = {"message_id": said["message_id"], "conversation_id": ana.conversation}
    assert (answer["status_code"], answer["body"]) == (202, {"status": "accepted", **ids})
    assert ana.settles(said).status == "replied"
    assert ana.replies == [f'You said: "{FRIDAY}". How can I help?']
    [asked] = ana.requests("assistable")
    assert asked["body"] == {
        "conversation_id": ana.conversation,
        "contact_id": ana.id,
        "last_message_id": said["message_id"],
        "channel": "SMS",
        "input": FRIDAY,
        "location_id": "Plain",
        "messages": [],
        "assistant_id": "assistant-of-Plain",
    }
    assert asked["headers"]["authorization"] == f"Bearer {fingerprint(ASSISTABLE_TOKEN)}"
    [posted] = ana.requests("post")
    form = {"type": "SMS", "contactId": ana.id, "conversationProviderId": machine.provider_ids["Plain"]}
    assert posted["body"] == {**form, "message": ana.replies[0]}
    assert posted["headers"]["authorization"] == f"Bearer {fingerprint('pit-secret-of-Plain')}"
    assert (posted["headers"]["version"], posted["status"]) == ("2021-04-15", 201)


def test_the_timeline_tells_the_whole_way(machine: Machine) -> None:
    """`explain` names every step in order, the reply's id and the provider's trace id, for each of the ids."""
    ana = machine.person("Plain")
    said = ana.says(FRIDAY)
    ana.settles(said)

    told = machine.explain(said["message_id"])

    sent = machine.sim.ask(f"conversations/{ana.id}")["messages"][-1]
    assert told["conversation_id"] == ana.conversation
    [message] = told["messages"]
    assert (message["message_id"], message["status"], message["reason"]) == (said["message_id"], "replied", None)
    assert message["reply_message_ids"] == [sent["id"]]
    assert [event["step"] for event in told["events"]] == ["accepted", "asking", "answered", "sending", "sent", "replied"]
    assert next(event["trace_id"] for event in told["events"] if event["step"] == "answered")
    for other_id in (ana.conversation, ana.id, sent["id"]):
        assert machine.explain(other_id) == told


@pytest.mark.parametrize(
    ("channel", "told", "sent_as"),
    [
        ("SMS", "SMS", "SMS"),
        ("WhatsApp", "WhatsApp", "WhatsApp"),
        ("FB", "FB", "FB"),
        ("IG", "IG", "IG"),
        ("Live_Chat", "Live_Chat", "Live_Chat"),
        ("TYPE_CUSTOM_SMS", "SMS", "SMS"),
        ("TYPE_CUSTOM_PROVIDER_SMS", "Custom", "Custom"),
    ],
)
def test_a_reply_goes_out_on_the_channel_that_the_message_came_by(
    machine: Machine, channel: str, told: str, sent_as: str
) -> None:
    """Each channel gets its reply with GHL's `type` for it and the inbound's conversation provider."""
    ana = machine.person("Plain")

    said = ana.says("Hello there", channel=channel, conversation_provider_id="providerOfThisOne")

    assert ana.settles(said).status == "replied"
    assert [each["body"]["channel"] for each in ana.requests("assistable")] == [told]
    [posted] = ana.requests("post")
    form = {"type": sent_as, "contactId": ana.id, "conversationProviderId": "providerOfThisOne"}
    assert posted["body"] == {**form, "message": 'You said: "Hello there". How can I help?'}
    assert len(ana.replies) == 1


def test_an_email_is_answered_as_an_email_where_the_location_names_the_channel(machine: Machine) -> None:
    """The reply is HTML with the same subject in the same thread, and the question is the e-mail's own text."""
    ana = machine.person("Mailing")

    said = ana.says("<div>Do you <b>bill</b> &amp; ship?</div>", channel="Email", subject="Shipping")

    assert ana.settles(said).status == "replied"
    [asked] = ana.requests("assistable")
    assert (asked["body"]["input"], asked["body"]["channel"]) == ("Do you bill & ship?", "Email")
    [posted] = ana.requests("post")
    html = '<p>You said: "Do you bill &amp; ship?". How can I help?</p>'
    assert {name: posted["body"].get(name) for name in ("type", "html", "subject", "message")} == {
        "type": "Email",
        "html": html,
        "subject": "Re: Shipping",
        "message": None,
    }
    assert posted["body"]["replyMessageId"] == said["message_id"]
    assert posted["body"]["threadId"]
    assert ana.replies == [html]


def test_an_email_is_not_answered_where_the_location_does_not_name_the_channel(machine: Machine) -> None:
    """E-mail is off by default: the message is skipped without a completion."""
    ana = machine.person("Plain")

    record = ana.settles(ana.says("<p>Hello</p>", channel="Email"))

    assert (record.status, record.reason) == ("skipped", "channel_off")
    assert ana.completions == 0


def test_a_burst_gets_one_reply_to_all_of_it(machine: Machine) -> None:
    """Five messages whose webhooks come out of order are one completion, its input in the order of `dateAdded`."""
    ana = machine.person("Patient")
    now = time.time() * 1000

    said = [ana.says(f"Line {number}", date_added=now + number * 1000) for number in (3, 1, 5, 2, 4)]

    assert [ana.settles(each).status for each in said] == ["replied"] * 5
    [asked] = ana.requests("assistable")
    assert asked["body"]["input"] == "Line 1\nLine 2\nLine 3\nLine 4\nLine 5"
    assert asked["body"]["last_message_id"] == said[2]["message_id"]
    assert len(ana.replies) == 1


def test_a_burst_that_does_not_end_is_answered_after_the_maximum(machine: Machine) -> None:
    """The debounce never lasts longer than `debounce_max_seconds` after the first message."""
    ana = machine.person("Chatty")

    began = time.monotonic()
    first, second = ana.says("One"), ana.says("Two")

    assert [ana.settles(each).status for each in (first, second)] == ["replied"] * 2
    assert 0.5 <= time.monotonic() - began < 5
    assert [each["body"]["input"] for each in ana.requests("assistable")] == ["One\nTwo"]


def test_what_comes_during_a_completion_is_answered_together_with_it(machine: Machine) -> None:
    """No contact ever has two simultaneous completions; a new message makes the answer stale, and one reply answers all."""
    ana = machine.person("Plain")
    ana.fault("completion", {"kind": "delay", "seconds": 1.0}, times=1)
    first = ana.says("First thought")
    poll("the first completion", lambda: ana.completions == 1)

    second, third = ana.says("Second thought"), ana.says("Third thought")

    assert [ana.settles(each).status for each in (first, second, third)] == ["replied"] * 3
    assert ana.most_at_once == 1
    asked = "\n".join(each["body"]["input"] for each in ana.requests("assistable"))
    assert [asked.index(text) for text in ("First", "Second", "Third")] == sorted(
        asked.index(text) for text in ("First", "Second", "Third")
    )
    assert ana.completions == 2
    assert ana.replies == ['You said: "First thought\nSecond thought\nThird thought". How can I help?']


def test_what_came_by_another_channel_is_a_turn_of_its_own(machine: Machine) -> None:
    """Two channels in one burst are two completions and two replies, each on its own channel, never at once."""
    ana = machine.person("Patient")

    said = [ana.says("By SMS", channel="SMS"), ana.says("By WhatsApp", channel="WhatsApp"), ana.says("SMS again", channel="SMS")]

    assert [ana.settles(each).status for each in said] == ["replied"] * 3
    assert sorted((each["body"]["channel"], each["body"]["input"]) for each in ana.requests("assistable")) == [
        ("SMS", "By SMS\nSMS again"),
        ("WhatsApp", "By WhatsApp"),
    ]
    assert sorted(each["body"]["type"] for each in ana.requests("post")) == ["SMS", "WhatsApp"]
    assert ana.most_at_once == 1


def test_contacts_do_not_wait_for_each_other(machine: Machine) -> None:
    """During one contact's slow completion, others get their replies."""
    slow, quick = machine.person("Plain"), machine.person("Plain")
    slow.fault("completion", {"kind": "delay", "seconds": 2.0})
    held = slow.says("Take your time")
    poll("the slow completion", lambda: slow.completions == 1)

    assert quick.settles(quick.says("Quickly please")).status == "replied"

    assert slow.replies == []
    assert slow.settles(held).status == "replied"


def test_a_hundred_contacts_at_once_get_one_reply_each(machine: Machine) -> None:
    """Three messages each, every webhook twice: one completion at a time for a contact, every text answered once."""
    sent = machine.sim.order("burst", location_id="Plain", contacts=100, messages_each=3, copies=2, text="Burst {n} of {c}")
    assert sum(sent["by_status"].values()) == 600
    assert set(sent["by_status"]) == {"202", "200"}
    assert sent["by_status"]["202"] == 300

    def all_answered() -> bool:
        counts = machine.sim.ask("counts")
        said = {one: "\n".join(counts["posts"]["by_contact"].get(one, [])) for one in sent["contact_ids"]}
        return all(all(f"Burst {n} of" in text for n in (1, 2, 3)) for text in said.values())

    poll("an answer to every text", all_answered, seconds=40)
    counts = machine.sim.ask("counts")
    for one in sent["contact_ids"]:
        replies = counts["posts"]["by_contact"][one]
        # An answer that a newer message made stale was asked for in vain, twice at most.
        assert len(replies) <= counts["completions"]["by_contact"][one] <= len(replies) + 2
        assert counts["completions"]["max_in_flight"][one] == 1
        assert all("\n".join(replies).count(f"Burst {n} of") == 1 for n in (1, 2, 3))


def test_two_receivers_and_two_workers_share_the_work(machine: Machine) -> None:
    """With copies of one webhook at both receivers at the same time, one is accepted and each contact gets one reply."""
    other = machine.start_second_receiver()
    machine.start("worker-2")
    machine.ready(workers=2)
    people = [machine.person("Plain") for _ in range(20)]
    said = [each.says("Hello to both", webhook=False) for each in people]
    bodies = [machine.webhook_of(one) for one in said]

    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda pair: machine.post(pair[0], url=pair[1]), [(b, u) for b in bodies for u in (machine.url, other)])
        )

    assert sorted(each.json()["status"] for each in answers) == ["accepted"] * 20 + ["duplicate"] * 20
    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 20
    assert [(each.completions, len(each.replies), each.most_at_once) for each in people] == [(1, 1, 1)] * 20
