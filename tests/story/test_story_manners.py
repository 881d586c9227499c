"""The most frequent complaints about bots as stories: talking over people, to machines, too late, too often, in Markdown."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.keys import key
from tests.story.machine import poll

if TYPE_CHECKING:
    from tests.story.machine import Machine, Person

DAY_MS = 24 * 3600 * 1000
UNSUBSCRIBED = """<html><body dir="auto">Unsubscribe<div><br><div dir="ltr">Sent from my iPhone</div><br><div dir="ltr">On Mon,
 Nov 23, 2026 at 9:00 AM Acme Dental &lt;a@acme.example&gt; wrote:<br></div><blockquote type="cite"><div>Shall we book?</div>
</blockquote></div></body></html>"""


def staff(person: Person, text: str, **order: Any) -> None:
    """Let staff write to this person."""
    person.machine.private.add(text)
    person.machine.sim.order("human", contact_id=person.id, text=text, **order)


def answers(person: Person, text: str) -> None:
    """Set the provider's next answer to this person."""
    person.machine.private.add(text)
    person.fault("completion", {"kind": "text", "text": text}, times=1)


def test_a_person_who_steps_in_is_not_talked_over(machine: Machine) -> None:
    """If staff writes during the completion, no reply is sent, also not later, until an operator resumes."""
    ana = machine.person("Plain")
    ana.fault("completion", {"kind": "delay", "seconds": 1.5}, times=1)
    said = ana.says("Is anybody there?")
    poll("the completion", lambda: ana.completions == 1)
    staff(ana, "Yes, this is Ben speaking")

    assert (ana.settles(said).reason, ana.replies) == ("human_takeover", [])
    second = ana.settles(ana.says("Good to hear, Ben"))
    assert (second.reason, ana.completions) == ("human_takeover", 1)
    assert "a person wrote" in second.facts

    assert machine.cli("conversations", "resume", ana.conversation).returncode == 0
    assert ana.settles(ana.says("Are you still there?")).status == "replied"
    assert len(ana.replies) == 1


def test_a_location_without_events_sees_people_by_reading(machine: Machine) -> None:
    """With a token and only workflow webhooks GHL's list shows who writes, before the completion and before the post."""
    machine.apply(Reading={})
    machine.sim.order("defaults", echo="off")
    ana, ben = machine.person("Reading"), machine.person("Reading")
    first = ana.says("I have a question", webhook=False)
    ana.hooks(first)
    assert ana.settles(first).status == "replied"

    staff(ana, "I take this one", webhook=False)
    second = ana.says("Thank you", webhook=False)
    ana.hooks(second)
    assert (ana.settles(second).reason, ana.completions) == ("human_takeover", 1)

    ben.fault("completion", {"kind": "delay", "seconds": 1.0}, times=1)
    third = ben.says("Me too", webhook=False)
    ben.hooks(third)
    poll("the completion", lambda: ben.completions == 1)
    staff(ben, "And this one as well", webhook=False)
    assert (ben.settles(third).reason, ben.replies) == ("human_takeover", [])
    assert not machine.redis.hexists(key("location", "Reading"), "marketplace_at")


def test_staff_that_answers_drafts_in_its_own_words_gets_more_of_them(machine: Machine) -> None:
    """Staff edits and sends each draft: the next message gets a draft again, and only staff writes."""
    ana = machine.person("Draft")
    for number, text in enumerate(("Do you have a table?", "And at eight?", "Outside?"), start=1):
        assert ana.settles(ana.says(text)).status == "replied"
        assert len(ana.comments) == number
        staff(ana, f"Edited: answer {number}")
    assert {posted["body"]["type"] for posted in ana.requests("post")} == {"InternalComment"}


@pytest.mark.parametrize("source", ["api", "app"])
def test_the_bridges_own_echo_is_no_person(machine: Machine, source: str) -> None:
    """GHL reports a reply before it has answered the post, with any sender: the conversation continues."""
    machine.sim.order("defaults", echo="before", echo_source=source)
    ana = machine.person("Plain")
    for text in ("One", "Two"):
        assert ana.settles(ana.says(text)).status == "replied"
    assert len(ana.replies) == 2
    machine.sim.order("defaults", echo_source="api")


def test_a_failed_reply_that_staff_sends_again_is_no_takeover(machine: Machine) -> None:
    """GHL's Retry button sends the same text under another id, with the user who pressed it."""
    ana = machine.person("Plain")
    assert ana.settles(ana.says("Hello")).status == "replied"
    staff(ana, ana.replies[0])

    assert ana.settles(ana.says("Got it, thanks")).status == "replied"


def test_what_a_workflow_sends_is_no_takeover(machine: Machine) -> None:
    """Reminders and campaigns don't end the conversation."""
    ana = machine.person("Plain")
    staff(ana, "Reminder: tomorrow at nine", source="workflow", user_id=None)

    assert ana.settles(ana.says("I will be there")).status == "replied"


def test_a_burst_gets_one_answer(machine: Machine) -> None:
    """Three texts within the debounce are one question."""
    ana = machine.person("Patient")
    said = [ana.says(text) for text in ("Hi", "I have a question", "When do you open?")]

    assert [ana.settles(one).status for one in said] == ["replied"] * 3
    assert (ana.completions, len(ana.replies)) == (1, 1)


@pytest.mark.parametrize(
    ("location", "order", "text"),
    [
        ("Plain", {}, "STOP\n\nSent from my iPhone"),
        ("Plain", {}, "ＯＰＴ ＯＵＴ. Thank you\n- Bob"),
        (
            "Mailing",
            {"channel": "Email"},
            UNSUBSCRIBED,
        ),
    ],
)
def test_a_stop_above_a_signature_is_a_stop(machine: Machine, location: str, order: dict[str, Any], text: str) -> None:
    """A phone's line below a stop doesn't make it a message: nothing is asked and nothing is sent, until START."""
    ana = machine.person(location)
    stop = ana.says(text, **order)
    assert stop["answers"][0]["body"]["reason"] == "stop_word"
    assert ana.settles(stop).reason == "stop_word"
    assert ana.settles(ana.says("Hello?", **order)).reason == "stop_word"
    assert (ana.completions, ana.replies) == (0, [])

    ana.says("START\n\nSent from my iPhone", **order)
    assert ana.settles(ana.says("Are you there?", **order)).status == "replied"


def test_stop_ends_what_is_to_be_tried_again_and_start_lifts_it(machine: Machine) -> None:
    """A message that waits for its retry is never answered after STOP; START opens the conversation again."""
    ana = machine.person("Plain")
    ana.fault("completion", {"kind": "status", "status": 429, "headers": {"Retry-After": "600"}}, times=1)
    said = ana.says("Tell me more")
    poll("a try that waits", lambda: "retrying" in machine.story(said["message_id"]))
    stop = ana.says("Stop!")
    assert stop["answers"][0]["body"]["reason"] == "stop_word"

    assert ana.settles(said).reason == "stop_word"
    assert ana.settles(ana.says("Hello?")).reason == "stop_word"
    assert ana.replies == []
    assert ana.settles(ana.says("START")).status == "replied"


@pytest.mark.parametrize(
    ("kind", "told", "reason"),
    [
        ("ContactTagUpdate", {"tags": ["vip", "AI_Off"]}, "off_tag"),
        ("ContactDndUpdate", {"dnd": True}, "dnd"),
        ("ContactDndUpdate", {"dndSettings": {"SMS": {"status": "active"}}}, "dnd"),
    ],
)
def test_what_an_event_tells_of_a_contact_needs_no_look_up(
    machine: Machine, kind: str, told: dict[str, Any], reason: str
) -> None:
    """A tag or do-not-disturb in an event counts at once, even if contacts aren't looked up."""
    ana = machine.person("Blind")
    payload = {"type": kind, "locationId": ana.location, "id": ana.id, "webhookId": f"w-{ana.id}", **told}
    [answer] = machine.sim.order("webhook", payload=payload)["answers"]
    assert answer["body"] == {"status": "ignored", "reason": "not_a_message"}

    assert ana.settles(ana.says("Hello")).reason == reason
    assert (ana.completions, ana.requests("contact")) == (0, [])


def test_a_text_of_three_days_ago_is_not_answered(machine: Machine) -> None:
    """Its own date counts, whatever delayed its webhook."""
    ana = machine.person("Plain")
    record = ana.settles(ana.says("Are you open today?", date_added=time.time() * 1000 - 3 * DAY_MS))
    assert (record.reason, ana.completions) == ("too_old", 0)


def test_markdown_comes_out_plain_in_an_sms(machine: Machine) -> None:
    """There are no asterisks and no brackets; links stay links and lists stay lists."""
    ana = machine.person("Plain")
    answers(ana, "**Open** daily, see [our page](https://shop.example/hours):\n\n- Monday\n- Tuesday")
    assert ana.settles(ana.says("When do you open?")).status == "replied"
    [reply] = ana.replies
    assert reply == "Open daily, see our page: https://shop.example/hours:\n\n- Monday\n- Tuesday"


def test_a_long_reply_comes_in_parts_and_in_order(machine: Machine) -> None:
    """Each part is within an SMS's limit and sent once, and no text is lost."""
    machine.apply(Wordy={"sms_max_segments": 100})
    ana = machine.person("Wordy")
    words = [f"word{number}" for number in range(800)]
    answers(ana, " ".join(words))
    record = ana.settles(ana.says("Tell me everything"))
    assert record.status == "replied"
    assert len(ana.replies) == len(record.reply_ids) > 2
    assert all(len(reply) <= 1600 for reply in ana.replies)
    assert " ".join(ana.replies).split() == words


def test_a_worker_that_is_killed_between_two_parts_repeats_none(machine: Machine) -> None:
    """The next worker sends the missing parts in order, of the same answer."""
    machine.apply(Wordy={"sms_max_segments": 100})
    machine.sim.order("defaults", post_seconds=0.5)
    ana = machine.person("Wordy")
    words = [f"word{number}" for number in range(1000)]
    answers(ana, " ".join(words))
    said = ana.says("Tell me everything")
    poll("the first part", lambda: len(ana.replies) == 1)
    machine.restart("worker")

    assert ana.settles(said, seconds=60).status == "replied"
    assert " ".join(ana.replies).split() == words
    assert ana.completions == 1


def test_two_bots_do_not_talk_for_ever(machine: Machine) -> None:
    """A contact that returns what it gets is a machine, and is not answered."""
    ana = machine.person("Plain")
    answers(ana, "Thank you for your message, we will be with you shortly")
    assert ana.settles(ana.says("Thank you for your message, we will call you back")).status == "replied"
    record = ana.settles(ana.says("Thank you for your message, we will be with you shortly"))
    assert (record.reason, ana.completions, len(ana.replies)) == ("loop", 1, 1)


def test_web_chat_is_answered_as_live_chat(machine: Machine) -> None:
    """GHL reports a web chat text with another type; the reply is sent as live chat."""
    ana = machine.person("Plain")
    said = ana.says("Do you have a minute?", webhook=False)
    kind = {"messageType": "WebChat", "messageTypeString": "TYPE_WEBCHAT", "messageTypeId": 5, "conversationProviderId": None}

    assert machine.post(machine.webhook_of(said, **kind)).status_code == 202

    assert ana.settles(said).status == "replied"
    assert [request["body"]["type"] for request in ana.requests("post")] == ["Live_Chat"]


def test_a_text_by_an_unknown_type_is_told_and_can_be_mapped(machine: Machine) -> None:
    """It is not ignored like a call: the timeline names the type, and with `types` of the location the next one is answered."""
    ana = machine.person("Typed")
    first, second = ana.says("Hello by a new chat", webhook=False), ana.says("And once more", webhook=False)
    kind = {"messageType": "NewChat", "messageTypeString": "TYPE_NEW_CHAT", "messageTypeId": 99, "conversationProviderId": None}

    assert machine.post(machine.webhook_of(first, **kind)).status_code == 202
    skipped = ana.settles(first)
    assert (skipped.reason, skipped.facts.split()[0]) == ("unknown_type", "TYPE_NEW_CHAT")
    machine.apply(Typed={"types": {"TYPE_NEW_CHAT": "SMS"}})
    assert machine.post(machine.webhook_of(second, **kind)).status_code == 202

    assert ana.settles(second).status == "replied"
    assert [request["body"]["type"] for request in ana.requests("post")] == ["SMS"]


def test_a_campaign_does_not_silence_the_agent(machine: Machine) -> None:
    """A campaign's SMS has no workflow as its source, and a missed call has no author: the next question is answered."""
    ana = machine.person("Plain")
    said = ana.says("Is anybody there?")
    assert ana.settles(said).status == "replied"
    for number, kind in enumerate(("TYPE_CAMPAIGN_SMS", "TYPE_SMS_REVIEW_REQUEST", "TYPE_CALL", "TYPE_VOICEMAIL")):
        told = {
            "type": "OutboundMessage",
            "direction": "outbound",
            "messageType": "SMS",
            "messageTypeString": kind,
            "userId": None,
        }
        event = machine.webhook_of(said, **told, messageId=f"automatic{number}{ana.id}", body=f"Offer {number}", timestamp=None)
        assert machine.post(event).status_code == 200

    second = ana.says("And on Friday?")

    assert ana.settles(second).status == "replied"
    assert len(ana.replies) == 2
