"""The figures of reports, computed from daily counts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

from bridge.policy.report_entries import merge, quantile
from bridge.policy.usage import kept_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.locations import Price
    from bridge.policy.report_entries import Counts

Period = Literal["day", "week", "month"]
HOURS = 24
MOST_BUSY = 3
MILLION = 1_000_000
# In the locations file: the price of everything without its own price.
ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Numbers of messages that arrived in a period, and their outcomes, whenever these were reached.

    `received` = `replied` + `delivered_by_provider` + `no_reply` + `skipped` + `dead` + `in_work`; `answered` is `replied` +
    `delivered_by_provider`. The median and the 95th percentile of the time to reply (s; null without a reply) have an error of at
    most 20 %. `outside_hours` were received while the location was closed. `handovers`, `opt_outs`, `undelivered` (replies),
    `completions` and tokens count when they happened. `cost` is the sum of all that has a price; null if nothing has one.
    """

    received: int
    answered: int
    replied: int
    delivered_by_provider: int
    no_reply: int
    skipped: int
    dead: int
    in_work: int
    median_seconds: float | None
    p95_seconds: float | None
    outside_hours: int
    handovers: int
    opt_outs: int
    undelivered: int
    completions: int
    input_tokens: int
    output_tokens: int
    cost: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures(Figures):
    """The figures of one day, like 2026-11-30."""

    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationFigures(Figures):
    """The figures of one location."""

    location_id: str
    name: str


def figures_of(counts: Counts, cost: float | None) -> dict[str, Any]:
    """The fields of `Figures`."""
    ends = {name: max(0, counts.get(code, 0)) for name, code in ENDS.items()}
    used = list(counts.get("T", {}).values())
    steps = counts.get("R", {})
    return {
        **ends,
        "received": max(counts.get("a", 0), sum(ends.values())),
        "answered": ends["replied"] + ends["delivered_by_provider"],
        "in_work": max(0, counts.get("a", 0) - sum(ends.values())),
        "median_seconds": _rounded(quantile(steps, 0.5)),
        "p95_seconds": _rounded(quantile(steps, 0.95)),
        **{name: max(0, counts.get(code, 0)) for name, code in OTHERS.items()},
        "completions": sum(one[0] for one in used),
        "input_tokens": sum(one[1] for one in used),
        "output_tokens": sum(one[2] for one in used),
        "cost": cost,
    }


ENDS = {"replied": "r", "delivered_by_provider": "p", "no_reply": "n", "skipped": "s", "dead": "d"}
OTHERS = {"outside_hours": "x", "handovers": "h", "opt_outs": "o", "undelivered": "u"}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def sum_of(counts: Iterable[Counts]) -> Counts:
    """The sum of several days' or locations' counts."""
    total: Counts = {}
    for one in counts:
        merge(total, one)
    return total


def cost_of(counts: Counts, prices: Mapping[str, Price]) -> float | None:
    """The cost of the answers at today's prices; None if none of them has a price."""
    known = {kept_name(name): price for name, price in prices.items() if name != ANY}
    costs = [
        price.answer * answers + (price.input * given + price.output * made) / MILLION
        for name, (answers, given, made) in counts.get("T", {}).items()
        if (price := known.get(name, prices.get(ANY)))
    ]
    return round(sum(costs), 6) if costs else None


def total_cost(costs: Iterable[float | None]) -> float | None:
    """The sum of the known costs."""
    known = [one for one in costs if one is not None]
    return round(sum(known), 6) if known else None


def hours_of_day(counts: Counts) -> tuple[int, ...]:
    """Messages received in each hour of the day, from midnight on."""
    found = counts.get("H", {})
    return tuple(max(0, found.get(str(hour), 0)) for hour in range(HOURS))


def busiest(hours: tuple[int, ...]) -> tuple[int, ...]:
    """The hours with the most messages, at most three, the busiest first."""
    ordered = sorted((hour for hour, count in enumerate(hours) if count), key=lambda hour: -hours[hour])
    return tuple(ordered[:MOST_BUSY])


def days_of(period: Period, day: date) -> list[date]:
    """The days of the period that contains a day; weeks begin on Monday."""
    match period:
        case "day":
            return [day]
        case "week":
            first = day - timedelta(days=day.weekday())
            return [first + timedelta(days=number) for number in range(7)]
        case "month":
            first = day.replace(day=1)
            following = (first + timedelta(days=31)).replace(day=1)
            return [first + timedelta(days=number) for number in range((following - first).days)]
