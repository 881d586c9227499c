"""When a location is open by local time: an hour skipped by daylight saving time does not exist, a repeated hour counts twice.

`judge_hours` decides what a closed location does with a message; `answering/away.py` sends the away message. Times are whole ms
since 1970. Between two changes of the zone's offset, local time runs evenly, so whole weeks can be skipped.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from bridge import hours_notation, time_zones
from bridge.model import Again, Reason, Skip, Status
from bridge.times import utc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from bridge.locations import Location

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_MINUTE = 60 * 1000
_DAY = hours_notation.MINUTES_OF_A_DAY * _MINUTE
_WEEK = hours_notation.MINUTES_OF_A_WEEK * _MINUTE
# 1970-01-01 was a Thursday, so the next Monday 00:00 was four days later.
_MONDAY = 4 * _DAY
# The only open span of a week may be in the hour that daylight saving time skips: then the location is closed for two weeks.
_HORIZON = 4 * _WEEK


@dataclass(frozen=True, slots=True)
class Hours:
    """Business hours: spans of a week in local time (ms since Monday 00:00), sorted without overlap, with a time zone."""

    zone: tzinfo
    spans: tuple[tuple[int, int], ...]

    @property
    def always(self) -> bool:
        """Whether the location never closes."""
        return self.spans == ((0, _WEEK),)


ALWAYS = Hours(UTC, ((0, _WEEK),))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A period without a change of the zone's offset (all ms): local time is UTC plus `offset`."""

    begin: int
    end: int
    offset: int


def hours_of(location: Location) -> Hours:
    """A location's business hours; without any it is always open."""
    return read(location.business_hours, location.timezone)


@lru_cache(maxsize=1024)
def read(texts: tuple[str, ...], zone: str) -> Hours:
    """Business hours from their notation. Raises ValueError as `hours_notation.parse`."""
    spans = [span for text in texts for span in hours_notation.parse(text)] or [(0, hours_notation.MINUTES_OF_A_WEEK)]
    merged = hours_notation.merge(spans)
    return Hours(time_zones.zone(zone), tuple((begin * _MINUTE, end * _MINUTE) for begin, end in merged))


def judge_hours(location: Location, now_ms: int) -> Skip | Again | None:
    """None while the location is open, else a wait until it opens (`defer`) or a skip."""
    hours = hours_of(location)
    opens = None if is_open(hours, now_ms) else opens_at(hours, now_ms)
    if opens is None:
        return None
    if location.outside_hours == "defer":
        return Again(wait=(opens - now_ms) / 1000, why=f"closed until {utc(opens)}", counts=False, status=Status.WAITING)
    return Skip(Reason.OUTSIDE_HOURS, f"closed until {utc(opens)}, outside_hours = {location.outside_hours}")


def is_open(hours: Hours, at_ms: int) -> bool:
    """Whether the location is open at a time; the opening time is included, the closing time is not."""
    return _open_on_wall(hours, at_ms + _offset(hours.zone, at_ms))


def opens_at(hours: Hours, at_ms: int) -> int | None:
    """The first time after `at_ms` at which the location opens; None if it never closes."""
    return next((moment for moment, opens in _changes(hours, at_ms, at_ms + _HORIZON) if opens), None)


def closed_since(hours: Hours, at_ms: int) -> int | None:
    """When the location closed last, which identifies the closed period; None while it is open."""
    if is_open(hours, at_ms):
        return None
    return max(moment for moment, opens in _changes(hours, at_ms - _HORIZON, at_ms + 1) if not opens)


def closed_ms(hours: Hours, begin: int, end: int) -> int:
    """How long (ms) the location was closed between two times; 0 if the second is earlier."""
    if hours.always or end <= begin:
        return 0
    return sum(_closed_on_wall(hours, each.begin + each.offset, each.end + each.offset) for each in _stretches(hours, begin, end))


def _changes(hours: Hours, begin: int, end: int) -> Iterator[tuple[int, bool]]:
    """All times between the two at which the location opens (True) or closes, in order."""
    if hours.always:
        return
    was = is_open(hours, begin)
    for stretch in _stretches(hours, begin, end):
        # Daylight saving time may open or close the location when it skips or repeats an hour.
        for wall in (stretch.begin + stretch.offset, *_edges(hours, stretch)):
            if _open_on_wall(hours, wall) is not was:
                was = not was
                yield wall - stretch.offset, was


def _edges(hours: Hours, stretch: _Stretch) -> Iterator[int]:
    """The local times at which spans begin and end."""
    first, last = stretch.begin + stretch.offset, stretch.end + stretch.offset
    for monday in range(first - (first - _MONDAY) % _WEEK, last, _WEEK):
        yield from (monday + edge for span in hours.spans for edge in span if first < monday + edge < last)


def _stretches(hours: Hours, begin: int, end: int) -> Iterator[_Stretch]:
    offset = _offset(hours.zone, begin)
    since = at = begin
    while at < end:
        ahead = min(at + _DAY, end)
        if _offset(hours.zone, ahead) != offset:
            ahead = _change(hours.zone, at, ahead)
            yield _Stretch(since, ahead, offset)
            since, offset = ahead, _offset(hours.zone, ahead)
        at = ahead
    if since < end:
        yield _Stretch(since, end, offset)


def _change(zone: tzinfo, before: int, after: int) -> int:
    """The first ms of the new offset; `before` has the old one, `after` another."""
    old = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after


def _offset(zone: tzinfo, at_ms: int) -> int:
    offset = (_EPOCH + at_ms * _MS).astimezone(zone).utcoffset()
    return offset // _MS if offset else 0


def _open_on_wall(hours: Hours, wall: int) -> bool:
    at = (wall - _MONDAY) % _WEEK
    place = bisect_right(hours.spans, (at, _WEEK)) - 1
    return place >= 0 and at < hours.spans[place][1]


def _closed_on_wall(hours: Hours, begin: int, end: int) -> int:
    return (end - begin) - (_opened_before(hours, end) - _opened_before(hours, begin))


def _opened_before(hours: Hours, wall: int) -> int:
    """The open time (ms) from a fixed Monday in the past until the local time `wall`."""
    weeks, at = divmod(wall - _MONDAY, _WEEK)
    whole = sum(end - begin for begin, end in hours.spans)
    return weeks * whole + sum(min(end, at) - begin for begin, end in hours.spans if begin < at)
