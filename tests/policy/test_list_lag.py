"""GHL's delay in listing messages, measured with known messages."""

from __future__ import annotations

import pytest

from bridge.model import MessageId
from bridge.policy.list_lag import LONGEST_MS, ListLag, measure, merge, newest, wait_before_belief

NOW = 1_800_000_000_000
A, B = MessageId("a"), MessageId("b")


@pytest.mark.parametrize(
    ("ages", "listed", "expected"),
    [
        ({}, set(), ListLag()),
        ({A: 3000}, {A}, ListLag(0, 3000)),
        ({A: 3000}, set(), ListLag(3000, 0)),
        ({A: 3000, B: 9000}, {B}, ListLag(3000, 9000)),
        ({A: 3000, B: 9000}, {A}, ListLag(9000, 0)),
        ({A: -500}, set(), ListLag(1, 0)),
        ({A: 3 * LONGEST_MS}, set(), ListLag()),
    ],
)
def test_a_look_shows_between_which_ages_messages_are_listed(
    ages: dict[MessageId, int], listed: set[MessageId], expected: ListLag
) -> None:
    """It is between the oldest missing one and the youngest listed one beyond that; much older ones say nothing."""
    assert measure({id_: NOW - age for id_, age in ages.items()}, listed, now_ms=NOW) == expected


def test_looks_add_up() -> None:
    """The result is the longest missing age, and the lowest listed age after that."""
    first = merge(ListLag(), ListLag(2700, 0))
    assert (first, first.ms) == (ListLag(2700, 0), 2700)
    second = merge(first, ListLag(0, 8100))
    assert (second, second.ms) == (ListLag(2700, 8100), 8100)
    third = merge(second, ListLag(0, 6500))
    assert third.ms == 6500
    assert merge(third, ListLag(7000, 0)) == ListLag(7000, 0)


@pytest.mark.parametrize(("hears_events", "wait"), [(True, 9.0), (False, 15.0)])
def test_an_absence_is_believed_after_twice_the_lag_or_longer(hears_events: bool, wait: float) -> None:
    """It is twice the lag, or three times if no event would report the post. Without a measurement there is no wait."""
    assert wait_before_belief(ListLag(2700, 6000), age_ms=3000, hears_events=hears_events) == wait
    assert wait_before_belief(ListLag(0, 6000), age_ms=3000, hears_events=hears_events) == 0
    assert wait_before_belief(ListLag(2700, 6000), age_ms=18_000, hears_events=hears_events) == 0


def test_a_page_is_no_evidence_about_what_came_before_it() -> None:
    """A long conversation has older messages on another page: they are not missing."""
    known = {MessageId("older"): NOW - 200_000, MessageId("newer"): NOW - 1_000}
    assert measure(known, {MessageId("newer")}, now_ms=NOW, oldest_ms=NOW - 100_000).missing == 0
    assert measure(known, {MessageId("newer")}, now_ms=NOW).missing == 200_000


def test_half_a_page_of_the_newest_is_evidence() -> None:
    """The other half of the rows may be of others; a page of one row shows nothing but that row."""
    known = {MessageId(str(number)): NOW - 9000 + number for number in range(9)}
    assert list(newest(known, of=4)) == ["7", "8"]
    assert (newest(known, of=1), newest(known, of=100)) == ({}, known)
