"""Figure 2: CPU time per reply, all processes of each bridge, while so many messages come each second."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from infra.bench.bridges import OURS, TUNED, TUTORIAL
from infra.bench.load import at_rate
from infra.bench.report import Row
from infra.bench.stage import LOCATIONS
from infra.bench.webhooks import make

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.bench.bridges import Bridge
    from infra.bench.plan import Plan
    from infra.bench.stage import Stage

COMPLETION_SECONDS = 0.3
# Celery forks as many as are asked for: what a tutorial's worker needs for this load.
TUTORIAL_SLOTS = 16
WAIT_SECONDS = 60.0
LEAN = {"contact_lookup": False, "history_messages": 0}


@dataclass(frozen=True, slots=True)
class Side:
    """A bridge with its slots, and our locations' settings."""

    name: str
    bridge: Bridge
    slots: int
    settings: Mapping[str, object]


async def measure(stage: Stage, plan: Plan) -> list[Row]:
    """Ours twice: as it is by default, and making only the two calls that the others make."""
    sides = (
        Side("default", OURS, plan.cpu_slots, {}),
        Side("lean", OURS, plan.cpu_slots, LEAN),
        Side("tutorial", TUTORIAL, TUTORIAL_SLOTS, {}),
        Side("tuned", TUNED, plan.cpu_slots, {}),
    )
    spent: dict[str, list[float]] = {side.name: [] for side in sides}
    stage.far_side.completion_seconds = COMPLETION_SECONDS
    for _ in range(min(plan.rounds, 2)):
        for side in sides:
            await stage.run(side.bridge, slots=side.slots)
            spent[side.name].append(await spend(stage, plan, side))
    ms = {name: median(each) * 1000 for name, each in spent.items()}
    return [
        Row(
            2,
            "CPU per reply, default settings",
            f"{ms['default']:.1f} ms",
            f"tutorial: {ms['tutorial']:.1f} ms",
            ms["default"] / ms["tutorial"],
            "<= 0.5",
            ms["default"] <= ms["tutorial"] / 2,
        ),
        Row(
            2,
            "",
            f"{ms['default']:.1f} ms",
            f"tuned: {ms['tuned']:.1f} ms",
            ms["default"] / ms["tuned"],
            "<= 1.3",
            ms["default"] <= 1.3 * ms["tuned"],
        ),
        Row(
            2,
            "... without contact look-up and history",
            f"{ms['lean']:.1f} ms",
            f"tuned: {ms['tuned']:.1f} ms",
            ms["lean"] / ms["tuned"],
        ),
    ]


async def spend(stage: Stage, plan: Plan, side: Side) -> float:
    """Seconds of CPU for each reply, after a warm-up of a tenth."""
    if side.bridge is OURS:
        stage.empty(**side.settings)
    stage.far_side.forget()
    warm = make(max(5, plan.cpu_replies // 10), stage.key, LOCATIONS)
    await at_rate(stage.port, warm, rate=plan.cpu_rate, connections=plan.connections)
    await stage.far_side.wait_for(len(warm), seconds=WAIT_SECONDS)
    stage.far_side.forget()
    began = stage.cpu()
    await at_rate(stage.port, make(plan.cpu_replies, stage.key, LOCATIONS), rate=plan.cpu_rate, connections=plan.connections)
    await stage.far_side.wait_for(plan.cpu_replies, seconds=WAIT_SECONDS)
    return (stage.cpu() - began) / plan.cpu_replies
