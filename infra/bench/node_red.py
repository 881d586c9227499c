"""Figure 10: a common setup, a Node-RED flow of webhook, completion and reply, without any of the bridge's duties.

Measured where `node-red` is on PATH: `npm install --prefix DIRECTORY node-red@4.1` puts it into `DIRECTORY/node_modules/.bin`.
It keeps accepted messages only in memory, so an accepted message counts once it is answered.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from infra.bench.bridges import OURS, Bridge
from infra.bench.load import flood
from infra.bench.replying import LEAN, Side, acquire, compare
from infra.bench.report import Row
from infra.bench.stage import LOCATIONS
from infra.bench.webhooks import make

if TYPE_CHECKING:
    from infra.bench.load import Answered
    from infra.bench.plan import Plan
    from infra.bench.stage import Stage

FLOWS = Path(__file__).parent / "baselines" / "node_red" / "flows.json"
DRAINED_WITHIN = 120.0


async def measure(stage: Stage, plan: Plan) -> list[Row]:
    """Both accept as much as they can while Node-RED answers; then the CPU of a reply, at the rate of figure 2."""
    command = shutil.which("node-red")
    if command is None:
        return [Row(10, "beside Node-RED", "not measured: no node-red on PATH")]
    folder = stage.folder / "node-red"
    theirs = Bridge(
        "Node-RED", (command, str(FLOWS), "--userDir", str(folder), "-D", "httpAdminRoot=false", "--port"), ready="Started flows"
    )
    stage.far_side.completion_seconds = 0.0
    taken: dict[str, list[Answered]] = {OURS.name: [], theirs.name: []}
    answered: list[float] = []
    for _ in range(plan.rounds):
        taken[OURS.name].append(await _take(stage, plan, OURS))
        taken[theirs.name].append(await _take(stage, plan, theirs))
        answered.append(await _drain(stage, taken[theirs.name][-1]))
    ours = Side("ours", OURS, plan.cpu_slots)
    sides = (
        ours,
        Side("Node-RED", theirs, 0),
        replace(ours, name="later", first=False),
        replace(ours, name="lean", settings=LEAN),
    )
    spent = await acquire(stage, plan, sides)
    rate, their_rate = (median(one.rate for one in taken[name]) for name in (OURS.name, theirs.name))
    whole = median(answered)
    p99 = median(one.percentile(99) for one in taken[OURS.name]) * 1000
    their_p50 = median(one.percentile(50) for one in taken[theirs.name]) * 1000
    return [
        Row(
            10,
            "accepted webhooks/s, one receiver",
            f"{rate:,.0f}",
            f"Node-RED, answered: {whole:,.0f}",
            rate / whole,
            ">= 10",
            rate >= 10 * whole,
        ),
        Row(10, "", f"{rate:,.0f}", f"... taken into its memory: {their_rate:,.0f}", rate / their_rate),
        Row(10, "... ack p99", f"{p99:.0f} ms", f"its p50: {their_p50:.0f} ms", p99 / their_p50, "<= 1", p99 <= their_p50),
        compare(10, "CPU per reply, a contact's first message", spent, "ours", "Node-RED", most=1.5),
        compare(10, "... a contact's later message", spent, "later", "Node-RED", most=1.5),
        compare(10, "... without contact look-up and history", spent, "lean", "Node-RED"),
    ]


async def _take(stage: Stage, plan: Plan, bridge: Bridge) -> Answered:
    await stage.run(bridge)
    stage.far_side.forget()
    webhooks = make(plan.webhooks, stage.key, LOCATIONS)
    return await flood(stage.port, webhooks, connections=plan.connections, seconds=plan.receive_seconds)


async def _drain(stage: Stage, taken: Answered) -> float:
    """Webhooks per second, counted until the last accepted one is answered."""
    await stage.far_side.wait_for(len(taken.seconds), seconds=DRAINED_WITHIN)
    last = max(times[-1] for times in stage.far_side.posts.values())
    return len(taken.seconds) / (last - taken.began)
