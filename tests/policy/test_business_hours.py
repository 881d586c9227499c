"""Business hours in their zone, compared with a clock that is read every minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.locations import Location
from bridge.policy.business_hours import ALWAYS, closed_ms, closed_since, hours_of, is_open, opens_at, read

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# A day with an hour less, one with an hour more, half an hour, a change at midnight, a day that was left out, none at all.
CHANGES = {
    "Europe/Berlin": ["2026-03-29T01:00", "2026-10-25T01:00"],
    "America/New_York": ["2026-03-08T07:00", "2026-11-01T06:00"],
    "Australia/Lord_Howe": ["2026-04-04T15:00", "2026-10-03T15:30"],
    "Africa/Cairo": ["2026-04-23T22:00", "2026-10-29T21:00"],
    "Pacific/Apia": ["2011-12-30T10:00"],
    "Asia/Kolkata": ["2026-06-01T00:00"],
}


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def wall(zone: str, at_ms: int) -> tuple[int, int]:
    """The weekday and the minute of the day on a clock there."""
    there = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone))
    return there.weekday(), there.hour * 60 + there.minute


@st.composite
def entries(draw: st.DrawFn) -> tuple[tuple[int, int, int], ...]:
    """Some spans: weekday, first minute, and the minute after the last, of this day or the next."""
    day, minute = st.integers(0, 6), st.integers(0, 24 * 60 - 1)
    found = draw(st.lists(st.tuples(day, minute, minute).filter(lambda each: each[1] != each[2]), min_size=1, max_size=5))
    return tuple(found)


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, int]:
    """A zone, and a minute within four days of one of its clock changes."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    return zone, utc(draw(st.sampled_from(CHANGES[zone]))) + draw(st.integers(-4 * 24 * 60, 4 * 24 * 60)) * MINUTE


def written(entry: tuple[int, int, int]) -> str:
    day, begin, end = entry
    return f"{NAMES[day]} {begin // 60:02d}:{begin % 60:02d}-{end // 60:02d}:{end % 60:02d}"


def shows_open(spans: tuple[tuple[int, int, int], ...], zone: str, at_ms: int) -> bool:
    """Whether it is open by the clock and the written hours."""
    today, now = wall(zone, at_ms)
    return any(
        (today == day and begin <= now < (end if end > begin else 24 * 60))
        or (end < begin and today == (day + 1) % 7 and now < end)
        for day, begin, end in spans
    )


@given(entries(), moments(), st.integers(0, 4 * 24 * 60))
def test_hours_agree_with_a_clock_on_the_wall(spans: tuple[tuple[int, int, int], ...], at: tuple[str, int], minutes: int) -> None:
    """Open, next opening, last closing and closed time equal those of a search minute by minute, across clock changes."""
    zone, begin = at
    hours = read(tuple(map(written, spans)), zone)
    walked = [shows_open(spans, zone, begin + each * MINUTE) for each in range(minutes + 1)]

    assert is_open(hours, begin) is walked[0]
    assert is_open(hours, begin + minutes * MINUTE) is walked[-1]
    assert closed_ms(hours, begin, begin + minutes * MINUTE) == sum(not each for each in walked[:-1]) * MINUTE
    opened = [begin + each * MINUTE for each, (before, now) in enumerate(pairwise(walked), 1) if now and not before]
    closed = [begin + each * MINUTE for each, (before, now) in enumerate(pairwise(walked), 1) if before and not now]
    opens = opens_at(hours, begin)
    assert opens == opened[0] if opened else opens is None or opens > begin + minutes * MINUTE
    since = closed_since(hours, begin + minutes * MINUTE)
    if walked[-1]:
        assert since is None
    else:
        assert since is not None
        assert since == closed[-1] if closed else since <= begin


@given(entries(), moments(), st.integers(0, 3 * DAY), st.integers(0, 3 * DAY))
def test_closed_time_adds_up(spans: tuple[tuple[int, int, int], ...], at: tuple[str, int], first: int, second: int) -> None:
    """Two consecutive intervals have the closed time of both together, to the millisecond."""
    zone, begin = at
    hours = read(tuple(map(written, spans)), zone)
    middle, end = begin + first, begin + first + second
    assert closed_ms(hours, begin, end) == closed_ms(hours, begin, middle) + closed_ms(hours, middle, end)
    assert closed_ms(hours, end, begin) == 0


@pytest.mark.parametrize(
    ("texts", "zone", "at", "opens", "since"),
    [
        (("mon-fri 09:00-17:30",), "UTC", "2026-11-20T17:29:59.999", "2026-11-23T09:00", None),
        (("mon-fri 09:00-17:30",), "UTC", "2026-11-20T17:30", "2026-11-23T09:00", "2026-11-20T17:30"),
        (("mon-fri 09:00-17:30",), "UTC", "2026-11-22T12:00", "2026-11-23T09:00", "2026-11-20T17:30"),
        (("mon-fri 09:00-17:30",), "America/New_York", "2026-11-22T12:00", "2026-11-23T14:00", "2026-11-20T22:30"),
        (("fri 22:00-02:00",), "UTC", "2026-11-21T01:00", "2026-11-27T22:00", None),
        (("sun 22:00-02:00",), "UTC", "2026-11-23T00:00", "2026-11-29T22:00", None),
        (("sun 22:00-02:00",), "UTC", "2026-11-23T02:00", "2026-11-29T22:00", "2026-11-23T02:00"),
        # Summer time begins: 02:30 is not there, so that it opens at 03:00; closing at 02:30 is at 02:00.
        (("daily 02:30-05:00",), "Europe/Berlin", "2026-03-29T00:59", "2026-03-29T01:00", "2026-03-28T04:00"),
        (("daily 00:00-02:30",), "Europe/Berlin", "2026-03-29T01:00", "2026-03-29T22:00", "2026-03-29T01:00"),
        (("sun 02:00-03:00",), "Europe/Berlin", "2026-03-28T12:00", "2026-04-05T00:00", "2026-03-22T02:00"),
        # It ends: the hour from 02:00 comes twice.
        (("daily 02:00-03:00",), "Europe/Berlin", "2026-10-25T01:30", "2026-10-26T01:00", None),
        (("daily 02:30-05:00",), "Europe/Berlin", "2026-10-25T00:00", "2026-10-25T00:30", "2026-10-24T03:00"),
    ],
)
def test_when_it_opens_and_since_when_it_is_closed(
    texts: tuple[str, ...], zone: str, at: str, opens: str, since: str | None
) -> None:
    """They are the next opening and the last closing; closing is at exactly the written minute."""
    hours = read(texts, zone)
    assert opens_at(hours, utc(at)) == utc(opens)
    assert closed_since(hours, utc(at)) == (utc(since) if since else None)
    assert is_open(hours, utc(at)) is (since is None)


def test_no_hours_are_always() -> None:
    """A location without business hours, or with hours round the clock, never closes and never opens."""
    all_week = Location(id="here", business_hours=("daily 00:00-24:00",), timezone="Europe/Berlin")
    for hours in (hours_of(Location(id="here")), hours_of(all_week), ALWAYS):
        assert (is_open(hours, 0), opens_at(hours, 0), closed_since(hours, 0), closed_ms(hours, 0, DAY)) == (True, None, None, 0)


def test_one_closed_span_has_one_beginning() -> None:
    """Every time in a closed span has the same beginning, and the next span another."""
    hours = read(("mon-fri 09:00-17:30",), "Europe/Berlin")
    friday = utc("2026-11-20T16:30")
    weekend = {closed_since(hours, friday + each * HOUR) for each in range(63)}
    assert weekend == {friday}
    assert closed_since(hours, friday + 3 * DAY) == friday + 3 * DAY


def test_a_long_time_is_not_walked() -> None:
    """Fifty years are computed in well under a second of CPU time."""
    hours = read(("mon-fri 09:00-17:30",), "Europe/Berlin")
    began = process_time()
    closed = closed_ms(hours, utc("1976-01-01T00:00"), utc("2026-01-01T00:00"))
    assert process_time() - began < 1
    assert closed / timedelta(days=365.25 * 50).total_seconds() / 1000 == pytest.approx(1 - 5 * 8.5 / 168, abs=0.001)
