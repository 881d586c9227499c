"""Stop words: the whole message, any case, punctuation ignored; some by phone only."""

from __future__ import annotations

import pytest

from bridge.locations import Location
from bridge.model import Channel
from bridge.policy.consent import START_WORDS, stopping, word_of

DEFAULT = stopping(Location(id="here").stop_words)
# Words of the default that mean something else where no phone company reads along.
BY_PHONE_ONLY = ("cancel", "end", "quit")


def stops(text: str, channel: Channel = Channel.SMS, words: frozenset[str] = DEFAULT) -> bool:
    return f"{channel}|{word_of(text)}" in words


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop. ",
        "Stop!!!",
        "“STOP”",
        "stop\n",
        "STOPALL",
        "Unsubscribe",
        "opt out",
        "OPT-OUT",
        "Opt  out!",
        "revoke",
        "cancel",
        "END",
        "quit.",
        "*stop*",
        "_stop_",
        "STOP 🛑",
    ],
)
def test_the_whole_message_stops(text: str) -> None:
    """Any case, with whatever punctuation and white space around and between."""
    assert stops(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "!!!",
        "please stop",
        "stop by at five",
        "Stop it, you are making me laugh",
        "don't stop",
        "stopp",
        "stops",
        "non-stop",
        "the end",
        "I want to cancel my appointment",
        "start",
        "stop" + "!" * 60,
    ],
)
def test_part_of_a_message_does_not_stop(text: str) -> None:
    """A stop word within other words is a word like any other, and so is a message too long for one."""
    assert not stops(text)


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("word", [*BY_PHONE_ONLY, "stop", "revoke"])
def test_ordinary_words_stop_by_phone_only(channel: Channel, word: str) -> None:
    """Cancel, end and quit count on SMS and WhatsApp, where phone companies know them; the others on every channel."""
    by_phone = channel in {Channel.SMS, Channel.WHATSAPP}
    assert stops(word, channel) is (by_phone or word not in BY_PHONE_ONLY)


def test_a_location_has_its_own_words() -> None:
    """What the file lists counts, in any case and language, in place of the default; blank entries are none."""
    words = stopping(("Kein Interesse!", "ARRÊT", " ", ""))
    assert stops("kein interesse", words=words)
    assert stops("Arrêt", words=words)
    assert not stops("stop", words=words)
    assert not stops("", words=words)
    assert stopping(()) == frozenset()


@pytest.mark.parametrize(
    ("text", "starts"), [("START", True), ("Unstop.", True), ("start!", True), ("yes", False), ("start over", False), ("", False)]
)
def test_one_word_lifts_a_stop(text: str, *, starts: bool) -> None:
    """START and UNSTOP do; YES is the answer to a question far more often."""
    assert (word_of(text) in START_WORDS) is starts
