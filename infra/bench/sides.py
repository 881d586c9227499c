"""Two commits on one stage, and a line of the table that compares them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from infra.bench.report import middle_ratio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from infra.bench.bridges import Bridge
    from infra.bench.cost import CostPlan
    from infra.bench.stage import Stage

HEAD = ("#", "what", "here", "there", "ratio", "less what came since", "target", "")

Measured = TypeVar("Measured")


@dataclass(frozen=True, slots=True)
class Sides:
    """This tree and another commit's, which run in turns."""

    stage: Stage
    plan: CostPlan
    here: Bridge
    there: Bridge
    folder_there: Path

    async def in_turns(self, *measures: Callable[[], Awaitable[Measured]]) -> list[list[Measured]]:
        """The result of each side, round by round."""
        found: list[list[Measured]] = [[] for _ in measures]
        for _ in range(self.plan.rounds):
            for rounds, measure in zip(found, measures, strict=True):
                rounds.append(await measure())
        return found

    async def both(self, measure: Callable[[Stage, CostPlan, Bridge], Awaitable[Measured]]) -> list[list[Measured]]:
        """The same for both sides."""
        return await self.in_turns(*(lambda one=one: measure(self.stage, self.plan, one) for one in (self.here, self.there)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A line: the values of both sides, and the deciding one, by default their ratio. `less` is the ratio without later work."""

    number: int
    what: str
    here: str
    there: str = ""
    ratio: float | None = None
    less: float | None = None
    most: float | None = None
    least: float | None = None
    decides: float | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells as text."""
        ratio, less = ("" if one is None else f"{one:.2f}" for one in (self.ratio, self.less))
        target, verdict = "", ""
        value = self.ratio if self.decides is None else self.decides
        if self.most is not None and value is not None:
            target, verdict = f"<= {self.most:,g}", "met" if value <= self.most else "missed"
        if self.least is not None and value is not None:
            target, verdict = f">= {self.least:,g}", "met" if value >= self.least else "missed"
        return (str(self.number), self.what, self.here, self.there, ratio, less, target, verdict)


def compare(
    number: int,
    what: str,
    here: Sequence[float],
    there: Sequence[float],
    *,
    form: str = ".2f",
    scale: float = 1.0,
    most: float | None = None,
    least: float | None = None,
    off: float = 0.0,
) -> Figure:
    """A line of two sides' rounds; `off` is the part of ours that is newer."""
    return Figure(
        number=number,
        what=what,
        here=format(median(here) * scale, form),
        there=format(median(there) * scale, form),
        ratio=middle_ratio(here, there),
        less=middle_ratio([one - off for one in here], there) if off else None,
        most=most,
        least=least,
    )
