"""Parses the notation of `business_hours`, for example `mon-fri 09:00-17:30`. The decisions are in `policy.business_hours`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MINUTES_OF_A_DAY = 24 * 60
MINUTES_OF_A_WEEK = 7 * MINUTES_OF_A_DAY

Span = tuple[int, int]
"""Start and end (excluded) in minutes since Monday 00:00; at most 24 h long; may end in the next week."""

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_GROUPS = {"daily": range(7), "weekdays": range(5), "weekends": range(5, 7)}
_DASH = r"\s*[-–]\s*"
_TIME = r"\d{1,2}:\d{2}"
_TIMES = rf"{_TIME}{_DASH}{_TIME}"
_TEXT = re.compile(rf"(?P<days>[a-z][a-z,\s–-]*?)?\s*(?P<times>{_TIMES}(?:(?:\s*,\s*|\s+){_TIMES})*)", re.ASCII)


def parse(text: str) -> tuple[Span, ...]:
    """Parse one entry: days, then times. Returns its spans. Raises ValueError with a sentence about the error.

    Days are names (short or long), lists (`mon,wed`), ranges (`mon-fri`, also across the end of the week), `daily`, `weekdays`,
    `weekends`; without days: every day. Times are HH:MM in 24 hours; `22:00-02:00` ends on the next day, `24:00` is the end of a
    day; several are separated by commas (`09:00-12:00, 13:00-17:30`).
    """
    match = _TEXT.fullmatch(text.strip().lower())
    if not match:
        raise ValueError(f"{text!r} is not like 'mon-fri 09:00-17:30'")
    days = sorted(set(_days(match["days"] or "daily")))
    times = [_times(each) for each in re.findall(_TIMES, match["times"])]
    return tuple((day * MINUTES_OF_A_DAY + begin, day * MINUTES_OF_A_DAY + end) for day in days for begin, end in times)


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Merge spans into one week: sorted, without overlap, split at the end of the week."""
    within = [piece for span in spans for piece in _cut(span)]
    merged: list[Span] = []
    for begin, end in sorted(within):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return tuple(merged)


def _cut(span: Span) -> Iterator[Span]:
    begin, end = span
    yield begin, min(end, MINUTES_OF_A_WEEK)
    if end > MINUTES_OF_A_WEEK:
        yield 0, end - MINUTES_OF_A_WEEK


def _days(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, dash, last = (name.strip() for name in part.replace("–", "-").partition("-"))
        if not dash and first in _GROUPS:
            yield from _GROUPS[first]
        else:
            begin, end = _day(first), _day(last if dash else first)
            yield from (day % 7 for day in range(begin, begin + (end - begin) % 7 + 1))


def _day(name: str) -> int:
    for number, day in enumerate(_DAYS):
        if name in {day, day[:3]}:
            return number
    raise ValueError(f"{name!r} is not a day: write mon, tue, wed, thu, fri, sat, sun, or daily, weekdays, weekends")


def _times(text: str) -> Span:
    begin, end = (_minutes(each) for each in re.findall(_TIME, text))
    if begin in {end, MINUTES_OF_A_DAY}:
        raise ValueError(f"{text!r} is empty: for the whole day write 00:00-24:00")
    return begin, end if end > begin else end + MINUTES_OF_A_DAY


def _minutes(text: str) -> int:
    hours, minutes = map(int, text.split(":"))
    if minutes >= 60 or hours * 60 + minutes > MINUTES_OF_A_DAY:  # noqa: PLR2004 - an hour
        raise ValueError(f"{text!r} is not a time: write 00:00 to 24:00")
    return hours * 60 + minutes
