"""GHL's own bot in the same conversation: it is distinguished from a person, and only one machine answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.other_side import OtherSide, answering, http
from tests.story.machine import poll

if TYPE_CHECKING:
    from tests.story.machine import Machine, Person

NO_SCOPE = {"statusCode": 401, "message": "The token is not authorized for this scope."}


def bot_writes(person: Person, text: str) -> None:
    person.machine.sim.order("human", contact_id=person.id, text=text, user_id=None, bot=True)


def alerts_in(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Alerts of one kind that begin together are one post with all of them."""
    return list(document.get("alerts", [document]))


def asked(person: Person) -> int:
    """The number of requests to GHL for an author."""
    return len(person.requests("generation"))


def test_the_bots_message_after_the_contacts_ends_the_turn(machine: Machine) -> None:
    """There is no completion, no post and one request to GHL, and the reason is `other_bot`."""
    ana = machine.person("Patient")
    said = ana.says("What do you cost?")
    bot_writes(ana, "Twenty dollars")
    record = ana.settles(said)
    assert (record.status, record.reason) == ("skipped", "other_bot")
    assert (ana.completions, ana.replies, asked(ana)) == (0, [], 1)
    assert machine.explain(said["message_id"])["messages"][-1]["reason"] == "other_bot"


def test_the_bot_is_heard_while_the_completion_runs(machine: Machine) -> None:
    """Before the post the guards are checked again: one completion, no post."""
    ana = machine.person("Plain")
    ana.fault("completion", {"kind": "delay", "seconds": 2})
    said = ana.says("And on Sunday?")
    poll("the completion", lambda: ana.completions == 1)
    bot_writes(ana, "Closed on Sunday")
    record = ana.settles(said)
    assert (record.status, record.reason, ana.completions, ana.replies) == ("skipped", "other_bot", 1, [])


def test_what_the_bot_wrote_before_is_no_takeover(machine: Machine) -> None:
    """A bot's message that the contact answers silences nobody, and GHL is asked about it once."""
    ana = machine.person("Plain")
    bot_writes(ana, "Welcome!")
    assert [ana.settles(ana.says(text)).status for text in ("Hello", "Are you there?")] == ["replied"] * 2
    assert (len(ana.replies), asked(ana)) == (2, 1)


def test_a_person_before_the_bot_keeps_the_conversation(machine: Machine) -> None:
    """If the newest message is the bot's and the one before it a person's, the takeover continues."""
    ana = machine.person("Plain")
    machine.sim.order("human", contact_id=ana.id, text="I am looking into it")
    bot_writes(ana, "Can I help you?")
    record = ana.settles(ana.says("Thank you"))
    assert (record.status, record.reason, ana.completions, ana.replies) == ("skipped", "human_takeover", 0, [])
    assert asked(ana) == 2


def test_without_the_scope_the_bot_counts_as_a_person(machine: Machine) -> None:
    """If GHL refuses to name the author, it counts as a person, and GHL is not asked again within an hour."""
    machine.apply(Scopeless={})
    ana = machine.person("Scopeless")
    ana.fault("conversation_ai", {"kind": "status", "status": 401, "body": NO_SCOPE})
    bot_writes(ana, "Welcome!")
    records = [ana.settles(ana.says(text)) for text in ("Hello", "Hello?")]
    assert [(one.status, one.reason) for one in records] == [("skipped", "human_takeover")] * 2
    assert (ana.replies, asked(ana)) == ([], 1)


def test_two_bots_are_alerted_and_told_beforehand(machine: Machine) -> None:
    """`doctor` names GHL's active bots before the first message; once both have answered, there is one alert.

    Slow: the alert comes with a look at the state, which is every five seconds.
    """
    machine.apply(Doubled={"debounce_seconds": 1.0})
    machine.sim.order("bots", location_id="Doubled", bot="Nora", channels=["SMS", "WhatsApp"])
    told = machine.cli("doctor", "--location", "Doubled").stdout
    assert "Nora is on auto-pilot (SMS, WhatsApp)" in told
    with OtherSide(answering(http(200))) as operator:
        machine.start_second_receiver(BRIDGE_ALERT_URL=operator.url)
        ana = machine.person("Doubled")
        said = ana.says("Hello?")
        bot_writes(ana, "Nora here")
        assert ana.settles(said).reason == "other_bot"
        # Alerts of one kind that begin together are one post, with all of them in it.
        poll(
            "an alert",
            lambda: "other_bot:Doubled" in [one["cause"] for each in operator.requests for one in alerts_in(each.document)],
        )
