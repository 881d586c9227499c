"""Entries of `parts/reports.lua`, added by location and day. Pure.

A day's counts are one document with short names, since 400 days of each location are kept: `a` messages received; `r`, `p`, `n`,
`s`, `d` those replied, delivered by the provider, without a reply, skipped, dead; `x` received outside business hours; `h`
handovers; `o` opt-outs; `u` undelivered replies; `H` received by hour of the day; `R` replies by how long they took (a step of
`bucket_of`); `T` by model or provider: answers, input tokens, output tokens.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bridge.model import LocationId
from bridge.policy.business_hours import is_open

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bridge.policy.business_hours import Hours

MINUTE_SECONDS = 60
# Two steps per octave, from a second to a day and a half: a quantile has an error of at most 20 %.
STEPS_AN_OCTAVE, LAST_STEP = 2, 35
REPLIES = frozenset("rp")

Counts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """An event of a received message, or of a conversation, in the minute `at_ms`; `by` is 1, or -1 if it is undone."""

    location_id: LocationId
    code: str
    by: int
    at_ms: int
    more: str


def parse(text: str) -> ReportEntry:
    """Parse an entry of the scripts."""
    location, code, minute, *more = text.split(" ")
    by = -1 if code.startswith("-") else 1
    return ReportEntry(LocationId(location), code.lstrip("-"), by, int(minute) * MINUTE_SECONDS * 1000, more[0] if more else "")


def fold(entries: Iterable[ReportEntry], hours_of: Callable[[LocationId], Hours]) -> dict[tuple[LocationId, str], Counts]:
    """Add entries, by location and day in its time zone."""
    days: dict[tuple[LocationId, str], Counts] = defaultdict(dict)
    for one in entries:
        hours = hours_of(one.location_id)
        moment = datetime.fromtimestamp(one.at_ms / 1000, UTC).astimezone(hours.zone)
        merge(days[one.location_id, f"{moment:%Y-%m-%d}"], _counts_of(one, hour=moment.hour, is_open=is_open(hours, one.at_ms)))
    return dict(days)


def _counts_of(one: ReportEntry, *, hour: int, is_open: bool) -> Counts:
    if one.code == "t":
        name, *tokens = one.more.split("|")
        return {"T": {name: [1, *map(int, tokens)]}}
    counts: Counts = {one.code: one.by}
    if one.code == "a":
        counts["H"] = {str(hour): one.by}
        if not is_open:
            counts["x"] = one.by
    if one.code in REPLIES and one.more:
        counts["R"] = {str(bucket_of(float(one.more))): one.by}
    return counts


def merge(into: Counts, more: Mapping[str, Any]) -> None:
    """Add counts to others."""
    for name, by in more.items():
        if isinstance(by, dict):
            merge(into.setdefault(name, {}), by)
        elif isinstance(by, list):
            into[name] = [one + other for one, other in zip(into.get(name, [0] * len(by)), by, strict=True)]
        else:
            into[name] = into.get(name, 0) + by


def bucket_of(seconds: float) -> int:
    """The step of a time: step 0 ends at a second, each other one at `edge` of it, the last never."""
    return 0 if seconds <= 1 else min(LAST_STEP, math.ceil(STEPS_AN_OCTAVE * math.log2(seconds)))


def edge(step: int) -> float:
    """The end of a step (s)."""
    return float(2 ** (step / STEPS_AN_OCTAVE))


def quantile(steps: Mapping[str, int], share: float) -> float | None:
    """The time within which this share of the replies was sent; None without a reply."""
    counts = sorted((int(step), count) for step, count in steps.items() if count > 0)
    wanted, before = share * sum(count for _, count in counts), 0
    for step, count in counts:
        if before + count >= wanted:
            return _within(step, (wanted - before) / count)
        before += count
    return None


def _within(step: int, part: float) -> float:
    """A position within a step, as if its replies were spread evenly."""
    if step == 0:
        return 1.0
    begin, end = edge(step - 1), edge(step)
    return float(begin * (end / begin) ** part)
