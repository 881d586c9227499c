"""Settling an unknown outcome: when to look, and what counts as found."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.model import Listed, MessageId
from bridge.policy.settling import CLOCK_SLACK_MS, find, find_any, wait_before_look

AT = 1_800_000_000_000


def listed(text: str = "hello", **fields: Any) -> Listed:
    given: dict[str, Any] = {
        "id": MessageId("r1"),
        "direction": "outbound",
        "date_added_ms": AT,
        "user_id": "",
        "source": "app",
        "type": "TYPE_SMS",
    }
    return Listed(text=text, **{**given, **fields})


def is_found(row: Listed, text: str = "hello", claimed: str = "") -> bool:
    return find([row], text=text, claimed=claimed, since_ms=AT) == row.id


@pytest.mark.parametrize(
    ("looks", "seconds", "expected"),
    [(0, 0, 6), (0, 4, 2), (0, 6, 0), (0, 60, 0), (1, 6, 30), (1, 20, 16), (1, 36, 0), (2, 0, None), (9, 0, None), (0, -10, 16)],
)
def test_looks_are_planned_from_the_attempt(looks: int, seconds: int, expected: float | None) -> None:
    """Each wait is counted from the end of the one before, and after the last look there is none."""
    assert wait_before_look(looks=looks, since_ms=AT, now_ms=AT + seconds * 1000, readback=(6, 30)) == expected


def test_without_waits_there_is_no_look() -> None:
    """An empty schedule never looks."""
    assert wait_before_look(looks=0, since_ms=AT, now_ms=AT, readback=()) is None


@pytest.mark.parametrize(
    ("there", "ours"),
    [
        ("hello", "hello"),
        ("Hello  there\n", "hello there"),
        ("<p>hello<br>there</p>", "hello there"),
        ("hello there", "<b>hello</b> there"),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("<p>1 &lt; 2</p>", "1 < 2"),
        ("👍", "👍"),
        ("👍🏽 ❤️", "👍🏽 ❤️"),
        ("<happy>", "<happy>"),
        ("STRASSE", "straße"),
    ],
)
def test_the_same_words_are_found(there: str, ours: str) -> None:
    """GHL may change white space, markup and case of what was sent."""
    assert is_found(listed(there), ours)


@pytest.mark.parametrize(
    ("there", "ours"),
    [
        ("hello you", "hello"),
        ("👍", "👎"),
        ("", "hello"),
        ("", ""),
        ("anything", ""),
        ("", "<happy>"),
        ("<sad>", "<happy>"),
        ("<img src='x'>", "<happy>"),
    ],
)
def test_other_words_are_not_found(there: str, ours: str) -> None:
    """What only looks alike, and what has no words at all, proves nothing."""
    assert not is_found(listed(there), ours)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"date_added_ms": AT - CLOCK_SLACK_MS}, True),
        ({"date_added_ms": AT - CLOCK_SLACK_MS - 1}, False),
        ({"date_added_ms": 0}, False),
        ({"direction": "inbound"}, False),
        ({"direction": ""}, False),
        ({"user_id": "staff"}, False),
    ],
)
def test_only_our_own_kind_counts(fields: dict[str, Any], *, expected: bool) -> None:
    """Older messages, inbound ones and those of a person are not what was sent, even with the same text."""
    assert is_found(listed(**fields)) is expected
    assert (find_any([listed("whatever", **fields)], since_ms=AT) is not None) is expected


def test_a_claimed_id_is_enough() -> None:
    """The message that the provider named is the one, whatever became of its text and time; an inbound one is not."""
    assert is_found(listed("rewritten", date_added_ms=0, user_id="u"), claimed="r1")
    assert not is_found(listed("rewritten", direction="inbound"), claimed="r1")
    assert not is_found(listed("rewritten", id=MessageId("")), claimed="")


def test_the_first_that_fits_is_named() -> None:
    """Of several rows the first fitting one answers."""
    rows = [listed("other", id=MessageId("r0")), listed(id=MessageId("r1")), listed(id=MessageId("r2"))]
    assert find(rows, text="hello", claimed="", since_ms=AT) == "r1"
    assert find([], text="hello", claimed="x", since_ms=AT) is None
    assert find_any(rows, since_ms=AT) == "r0"
    assert find_any([], since_ms=AT) is None
