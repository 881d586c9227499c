"""Whatever a contact sends is understood: a picture, a voice note, and a file that WhatsApp's webhook lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.other_side import OtherSide, answering, http
from tests.speech import listening, need_speech
from tests.story.machine import poll

if TYPE_CHECKING:
    from tests.story.machine import Machine

SPOKEN = "Do you open on Sunday?"


@pytest.fixture
def machine(machine: Machine) -> Machine:
    """The machine with a location that uses the simulator's transcription service."""
    machine.apply(Reading={"media": "read", "transcription": {"base_url": f"{machine.sim.url}/v1", "model": "simulated"}})
    machine.private.add(SPOKEN)
    return machine


def test_a_picture_alone_gets_a_reply(machine: Machine) -> None:
    """The provider is told what arrived and that it can't see it; the timeline has its kind."""
    ana = machine.person("Plain")

    said = ana.says("", media=["picture"])

    assert ana.settles(said).status == "replied"
    assert ana.replies == ['You said: "[The contact sent 1 picture; you have not seen it.]". How can I help?']
    (accepted,) = [event for event in machine.explain(said["message_id"])["events"] if event["step"] == "accepted"]
    assert accepted["files"] == ["image"]


@pytest.mark.parametrize("name", ["voice_note", "voice_note_mp4"])
def test_a_voice_note_is_read(machine: Machine, name: str) -> None:
    """It is downloaded, transcribed, asked about and answered in any container; no log contains its words."""
    ana = machine.person("Reading")

    said = ana.says("", media=[name])

    assert ana.settles(said).status == "replied"
    assert ana.replies == [f'You said: "{SPOKEN}". How can I help?']
    assert "read" in machine.story(said["message_id"])


@pytest.mark.parametrize("name", ["voice_note", "voice_note_mp4"])
def test_a_voice_note_is_really_understood(machine: Machine, name: str) -> None:
    """A real engine transcribes it: the spoken words are the question, and the reply is sent."""
    need_speech()
    heard = SPOKEN.lower().rstrip("?")
    machine.private.add(heard)
    with listening() as engine:
        machine.apply(Heard={"media": "read", "transcription": {"base_url": f"{engine.url}/v1", "model": "pocketsphinx"}})
        ana = machine.person("Heard")

        said = ana.says("", media=[name])

        assert ana.settles(said).status == "replied"
    assert ana.replies == [f'You said: "{heard}". How can I help?']


def test_whatsapps_empty_webhook_brings_a_picture(machine: Machine) -> None:
    """Its webhook is empty, GHL's record has the file seconds later: the message waits, and is answered."""
    ana = machine.person("Plain")

    said = ana.says("", media=["picture"], channel="WhatsApp")

    record = ana.settles(said)
    assert record.status == "replied"
    assert ana.replies == ['You said: "[The contact sent 1 picture; you have not seen it.]". How can I help?']
    assert "resolved" in machine.story(said["message_id"])


@pytest.mark.parametrize(
    "action",
    [
        {"kind": "lie"},
        {"kind": "endless"},
        {"kind": "status", "status": 302, "headers": {"Location": "http://169.254.169.254/latest"}},
        {"kind": "status", "status": 403},
    ],
    ids=["lie", "endless", "inside", "expired"],
)
def test_a_hostile_media_host_costs_no_reply(machine: Machine, action: dict[str, object]) -> None:
    """The model is told what can't be read, and the contact is answered."""
    ana = machine.person("Reading")
    ana.fault("media", action)

    said = ana.says("", media=["voice_note"])

    assert ana.settles(said, seconds=60).status == "replied"
    told = "[The contact sent 1 voice note; it could not be read; ask the contact to write instead.]"
    assert ana.replies == [f'You said: "{told}". How can I help?']


def test_a_spoken_stop_is_kept_and_told_until_it_is_lifted(machine: Machine) -> None:
    """A voice note that says only STOP opts out, and an alert reports it; `contacts allow` lifts both.

    Slow: the alert and its end come with a look at the state each.
    """
    ana = machine.person("Reading")
    machine.sim.order("defaults", spoken="Stop.")
    with OtherSide(answering(http(200))) as operator:

        def told() -> list[str]:
            cause = f"spoken_stop:{ana.location}:{ana.id}"
            return [one.document["state"] for one in operator.requests if one.document["cause"] == cause]

        machine.start_second_receiver(BRIDGE_ALERT_URL=operator.url)
        try:
            record = ana.settles(ana.says("", media=["voice_note"]))
        finally:
            machine.sim.order("defaults", spoken=SPOKEN)
        assert (record.status, record.reason) == ("skipped", "stop_word")
        poll("the alert", lambda: told() == ["begun"], told=told)
        assert ana.settles(ana.says("Hello?")).reason == "stop_word"

        machine.cli("contacts", "allow", ana.location, ana.id)

        poll("its end", lambda: told() == ["begun", "over"], told=told)
    assert ana.settles(ana.says("Hello?")).status == "replied"
    assert ana.replies == ['You said: "Hello?". How can I help?']
