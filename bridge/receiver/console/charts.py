"""The bars of the overview's charts, computed on the server, so that they work without JavaScript."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bridge.times import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.operating.overview import Outcomes
    from bridge.operating.report_figures import DayFigures

    Counted = Outcomes | DayFigures

HEIGHT, GAP = 100.0, 0.25
KINDS = ("replied", "no_reply", "skipped", "dead")
FIELDS = (("replied", "delivered_by_provider"), ("no_reply",), ("skipped",), ("dead",))
NICE = (1, 2, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, slots=True)
class Part:
    """One rectangle of a bar, from `y` down."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar of one minute or hour: its position, its parts, and its text."""

    x: float
    width: float
    moment: str
    at: str
    says: str
    counts: tuple[int, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars in an area that is one unit wide per bar and `HEIGHT` high; `top` is the number at its upper edge."""

    bars: tuple[Bar, ...]
    top: int
    totals: tuple[int, ...]

    @property
    def labels(self) -> tuple[Bar, ...]:
        """The bars whose times are shown below the chart: first, middle and last."""
        return (self.bars[0], self.bars[len(self.bars) // 2], self.bars[-1])

    @property
    def is_empty(self) -> bool:
        """Whether all counts are 0."""
        return not any(self.totals)


def draw(outcomes: Sequence[Counted], days: Sequence[str] = ()) -> Chart:
    """Stack the outcomes of each minute's or hour's messages, the replies at the bottom; a provider's count as replies.

    `days`: each bar is a day, and its text names the day.
    """
    counted = [tuple(sum(getattr(each, name) for name in names) for names in FIELDS) for each in outcomes]
    top = _nice(max(map(sum, counted)))
    bars: Iterable[Bar] = (
        _bar(number, each, counts, top) for number, (each, counts) in enumerate(zip(outcomes, counted, strict=True))
    )
    if days:
        bars = (replace(bar, moment="", at=day) for bar, day in zip(bars, days, strict=True))
    return Chart(tuple(bars), top, tuple(map(sum, zip(*counted, strict=True))))


def _bar(number: int, each: Counted, counts: tuple[int, ...], top: int) -> Bar:
    since = getattr(each, "at", None)
    moment = read(since)
    at = f"{moment:%H:%M}" if moment else ""
    label = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in zip(KINDS, counts, strict=True) if count)
    return Bar(
        x=number + GAP / 2,
        width=1 - GAP,
        moment=since or "",
        at=at,
        says=label or "nothing",
        counts=counts,
        parts=tuple(_parts(counts, top)),
    )


def _parts(counts: tuple[int, ...], top: int) -> list[Part]:
    parts, y = [], HEIGHT
    for kind, count in zip(KINDS, counts, strict=True):
        height = count / top * HEIGHT
        y -= height
        if count:
            parts.append(Part(kind, round(y, 2), round(height, 2)))
    return parts


def _nice(highest: int) -> int:
    """The next round number that is not smaller."""
    size = 1
    while True:
        for step in NICE:
            if step * size >= highest:
                return step * size
        size *= 10
