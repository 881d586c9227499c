"""Voice notes that a synthesiser speaks and a recogniser transcribes: real sound and the results of a real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.other_side import http
from tests.speech import PATH, listening, need_speech, noise, speak
from tests.world import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from tests.other_side import OtherSide
    from tests.world import World


@pytest.fixture(autouse=True, scope="module")
def programs() -> None:
    """The programs for these tests: a synthesiser and a recogniser."""
    need_speech()


@pytest.fixture(scope="module")
def engine() -> Iterator[OtherSide]:
    """One transcription service for all tests of this file."""
    with listening() as side:
        yield side


@pytest.fixture
def world(redis: Redis, engine: OtherSide) -> Iterator[World]:
    engine.requests.clear()
    with opened(redis) as world:
        world.keep(media="read", transcription={"base_url": f"{engine.url}/v1", "model": "pocketsphinx", "token": "t"})
        yield world


def sends(world: World, recording: bytes, name: str = "note.ogg") -> None:
    """Let the contact send only a voice note."""
    world.files[f"/media/{name}"] = http(200, recording)
    world.write(text="", attachments=(f"{world.url}/media/{name}",))
    world.work()


def outcome(world: World) -> str:
    """The timeline's entry about the voice note."""
    (read,) = [event for event in world.events() if event.step == "read"]
    told: str = read.details["outcome"]
    return told


@pytest.mark.parametrize("ending", ["ogg", "mp4"])
@pytest.mark.parametrize("said", ["Do you open on Sunday?", "Can you call me tomorrow?"])
def test_what_is_said_in_a_voice_note_is_what_the_provider_is_asked(
    world: World, engine: OtherSide, said: str, ending: str
) -> None:
    """The sound is transcribed for the question, in WhatsApp's container and in Instagram's."""
    sends(world, speak(said, ending), f"note.{ending}")
    assert world.inputs() == [said.lower().rstrip("?")]
    assert (world.status(), [one.target for one in engine.requests]) == (("replied", ""), [PATH])


def test_a_stop_that_is_really_spoken_stops(world: World) -> None:
    """The engine hears one word, and it is the stop word."""
    sends(world, speak("Stop.", "ogg"))
    assert (world.status(), world.inputs(), world.posts()) == (("skipped", "stop_word"), [], [])


def test_a_sentence_with_that_word_is_answered(world: World) -> None:
    """A sentence with a stop word is answered, however the engine transcribes the other words."""
    sends(world, speak("Please stop by at nine.", "ogg"))
    (asked,) = world.inputs()
    assert "stop" in asked.split()
    assert world.status() == ("replied", "")


def test_silence_says_nothing(world: World) -> None:
    """The engine answers 200 with an empty text, and the model is told to ask for a written one."""
    sends(world, noise(2, loud=0.0001))
    assert outcome(world) == "no speech was recognised in it"
    assert world.inputs() == ["[The contact sent 1 voice note; it could not be read; ask the contact to write instead.]"]


@pytest.mark.parametrize(("loud", "colour"), [(0.1, "white"), (0.3, "violet")])
def test_a_word_that_an_engine_hears_where_nobody_speaks_stops_nothing(world: World, loud: float, colour: str) -> None:
    """Engines hear words in noise: such a word is answered like any other, and opts nobody out."""
    sends(world, noise(3, loud=loud, colour=colour))
    assert outcome(world).endswith(" characters")
    assert (len(world.inputs()), world.status()) == (1, ("replied", ""))
