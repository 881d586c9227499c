"""Figure 2: CPU time per reply, of all processes of each bridge, at a number of messages per second."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING

from infra.bench.bridges import OURS, TUNED, TUTORIAL
from infra.bench.load import at_rate
from infra.bench.report import Row, middle_ratio
from infra.bench.stage import LOCATIONS
from infra.bench.webhooks import make, make_later

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.bench.bridges import Bridge
    from infra.bench.plan import Plan
    from infra.bench.stage import Stage
    from infra.bench.webhooks import Webhook

COMPLETION_SECONDS = 0.3
# Celery forks as many as are asked for: what a tutorial's worker needs for this load.
TUTORIAL_SLOTS = 16
WAIT_SECONDS = 60.0
LEAN = {"contact_lookup": False, "history_messages": 0}


@dataclass(frozen=True, slots=True)
class Side:
    """A bridge with its slots, our locations' settings, and whether contacts write for the first time."""

    name: str
    bridge: Bridge
    slots: int
    settings: Mapping[str, object] = field(default_factory=dict)
    first: bool = True


async def measure(stage: Stage, plan: Plan) -> list[Row]:
    """Ours three times: a contact's first message, whose history is read, a later one, and only the others' two requests."""
    ours = Side("default", OURS, plan.cpu_slots)
    sides = (
        ours,
        Side("tuned", TUNED, plan.cpu_slots),
        replace(ours, name="later", first=False),
        Side("tutorial", TUTORIAL, TUTORIAL_SLOTS),
        replace(ours, name="lean", settings=LEAN),
    )
    stage.far_side.completion_seconds = COMPLETION_SECONDS
    spent = await acquire(stage, plan, sides)
    return [
        compare(2, "CPU per reply, a contact's first message", spent, "default", "tutorial", most=0.5),
        compare(2, "", spent, "default", "tuned", most=1.3),
        compare(2, "... a contact's later message", spent, "later", "tuned", most=1.3),
        compare(2, "... without contact look-up and history", spent, "lean", "tuned"),
    ]


def compare(figure: int, what: str, spent: Mapping[str, Sequence[float]], ours: str, theirs: str, *, most: float = 0.0) -> Row:
    """A row of two sides: the median cost of each, and the median of the rounds' ratios."""
    ratio = middle_ratio(spent[ours], spent[theirs])
    measured, beside = (f"{median(spent[name]) * 1000:.1f} ms" for name in (ours, theirs))
    aim, met = (f"<= {most:g}", ratio <= most) if most else ("", None)
    return Row(figure, what, measured, f"{theirs}: {beside}", ratio, aim, met)


async def acquire(stage: Stage, plan: Plan, sides: Sequence[Side]) -> dict[str, list[float]]:
    """Seconds of CPU for each reply, by side and round: the machine's speed changes, so only sides of one round are compared."""
    spent: dict[str, list[float]] = {side.name: [] for side in sides}
    for _ in range(plan.cpu_rounds):
        for side in sides:
            await stage.run(side.bridge, slots=side.slots)
            if side.bridge is OURS:
                stage.empty(**side.settings)
            spent[side.name].append(await _acquire(stage, plan, side))
    return spent


async def _acquire(stage: Stage, plan: Plan, side: Side) -> float:
    """The CPU after a warm-up with a quarter as many messages, or each contact's first one."""
    first = make(plan.cpu_replies, stage.key, LOCATIONS)
    measured = first if side.first else make_later(first, stage.key)
    warm = make(plan.cpu_replies // 4, stage.key, LOCATIONS) if side.first else first
    await _reply(stage, plan, warm)
    began = stage.cpu()
    await _reply(stage, plan, measured)
    return (stage.cpu() - began) / plan.cpu_replies


async def _reply(stage: Stage, plan: Plan, webhooks: Sequence[Webhook]) -> None:
    stage.far_side.forget()
    await at_rate(stage.port, webhooks, rate=plan.cpu_rate, connections=plan.connections)
    await stage.far_side.wait_for(len(webhooks), seconds=WAIT_SECONDS)
