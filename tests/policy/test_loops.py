"""Loops: messages that no person types."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.model import MessageId, PastMessage, Reason
from bridge.policy.loops import MOST_LOOKED_AT, judge_loop
from tests.stored import message

NOW = 1_800_000_000_000
MINUTE = 60_000
LONG = "Thank you for your message we will be back soon"


def us(text: str, at: int, id_: str = "r1") -> PastMessage:
    return PastMessage("assistant", text, id=MessageId(id_), at_ms=NOW + at)


def them(text: str, at: int) -> PastMessage:
    return PastMessage("user", text, at_ms=NOW + at)


def loops(said: list[PastMessage], *texts: str, at: int = 0) -> bool:
    messages = [message(f"m{number}", text=text, date_added_ms=NOW + at) for number, text in enumerate(texts)]
    skip = judge_loop(messages, said, now_ms=NOW)
    assert skip is None or (skip.reason is Reason.LOOP and skip.facts)
    return skip is not None


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (LONG, LONG, True),
        (LONG, f"  {LONG.upper()}\n", True),
        (f"<p>{LONG}</p>", LONG, True),
        (LONG, LONG + " too", False),
        ("See you then", "See you then", False),
        ("Yes", "yes", False),
    ],
)
def test_our_own_text_coming_back_is_an_echo(ours: str, theirs: str, *, expected: bool) -> None:
    """A sentence of the bridge that returns word for word is not answered; short texts may be a person's."""
    assert loops([us(ours, -MINUTE)], theirs) is expected


def test_any_message_of_a_burst_may_be_the_echo() -> None:
    """It may repeat any of the bridge's last replies, but not one from long ago."""
    said = [us(f"{LONG} number {number}", -MINUTE * (10 - number), f"r{number}") for number in range(8)]
    assert loops(said, "hello?", f"{LONG} number 3", "bye")
    assert not loops(said, f"{LONG} number 2")


@pytest.mark.parametrize(
    ("text", "before", "expected"),
    [
        (LONG, [-2, -1], True),
        (LONG, [-1], False),
        (LONG, [-70, -1], False),
        ("hello?", [-3, -2, -1], False),
        ("hello?", [-7, -6, -5, -4, -3, -2, -1], True),
        ("hello?", [-6, -5, -4, -3, -2, -1], False),
    ],
)
def test_the_same_text_over_and_over_is_a_machine(text: str, before: list[int], *, expected: bool) -> None:
    """A sentence for the third time within an hour, or a short text for the eighth, is not answered, whatever the replies."""
    said = [one for at in before for one in (them(text, at * MINUTE), us(f"answer {at}", at * MINUTE + 1))]
    assert loops(said, text) is expected


def test_another_text_in_between_is_a_person() -> None:
    """Only equal texts in a row count."""
    said = [them(LONG, -3 * MINUTE), them(LONG, -2 * MINUTE), them("something else", -MINUTE)]
    assert not loops(said, LONG)


def dialogue(turns: int, *, wait: int, every: int = MINUTE) -> list[PastMessage]:
    """This many replies, each answered after `wait` ms; the last one's answer is still missing."""
    said: list[PastMessage] = []
    for turn in range(turns):
        at = (turn - turns) * every
        said += [us(f"reply {turn}", at, f"r{turn}"), them(f"text {turn}", at + wait)]
    return [*said, us("the last reply", -wait, "last")]


@pytest.mark.parametrize(
    ("turns", "wait", "expected"),
    [(19, 10_000, True), (18, 10_000, False), (19, 10_001, False), (25, 500, True), (0, 500, False)],
)
def test_answers_that_always_come_at_once_are_a_machine(turns: int, wait: int, *, expected: bool) -> None:
    """No person reads twenty replies in a row and answers each within ten seconds."""
    assert loops(dialogue(turns, wait=wait), "yet another text") is expected


def test_one_human_pause_breaks_the_row() -> None:
    """One slow answer restarts the count."""
    said = [replace(one, at_ms=one.at_ms + 6_000) if one.content == "text 20" else one for one in dialogue(25, wait=5_000)]
    assert not loops(said, "yet another text")


def test_a_machine_may_write_in_parts() -> None:
    """Texts in quick succession are one answer; the bridge's may have parts too."""
    parts = [[replace(one, at_ms=one.at_ms + more) for more in (0, 900)] for one in dialogue(19, wait=5_000)]
    assert loops([part for pair in parts for part in pair], "yet another text")


@pytest.mark.parametrize(("since", "expected"), [(-10_000, True), (-10_001, False)])
def test_after_a_loop_was_broken_it_is_a_new_talk(since: int, *, expected: bool) -> None:
    """A skipped loop was not answered, so a text some time later answers nothing of ours and may be a person's."""
    said = [*(replace(one, at_ms=one.at_ms - MINUTE) for one in dialogue(19, wait=500)), them("yet another text", since)]
    said[-2] = replace(said[-2], at_ms=NOW + since - 500)
    assert loops(said, "hello, is somebody there?") is expected


def test_what_is_looked_at_suffices_for_every_rule() -> None:
    """A dialogue of machines is found within the part of the record that is read."""
    assert loops(dialogue(40, wait=500)[-MOST_LOOKED_AT:], "yet another text")


def test_the_first_message_of_all_is_no_loop() -> None:
    """There was no earlier text."""
    assert not loops([], LONG)
