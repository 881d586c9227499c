"""Figures 3 and 7: replies per second of one worker with slow completions, and a burst that it answers at that rate."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from infra.bench.bridges import OURS
from infra.bench.load import flood
from infra.bench.report import Row
from infra.bench.stage import LOCATIONS
from infra.bench.webhooks import make

if TYPE_CHECKING:
    from infra.bench.plan import Plan
    from infra.bench.stage import Stage

AIMS = {200: 0.9, 500: 0.8}
# A process can use no more than one core: so much of it busy is a full one.
FULL_CORE = 0.95
DRAINS_WITHIN = 400.0
ACCEPTED = 202


async def measure(stage: Stage, plan: Plan) -> list[Row]:
    """More messages wait than the worker can answer; the rate is measured in the middle."""
    rows = []
    for slots in plan.slots:
        rate, busy = await _rate(stage, plan, slots)
        ideal, aim = slots / plan.completion_seconds, AIMS.get(slots)
        what = f"replies/s, {slots} slots, completions of {plan.completion_seconds:g} s"
        beside = f"ideal: {ideal:.0f}; {busy:.0%} of a core busy"
        verdict = ("", None) if aim is None else (f">= {aim}, or a full core", rate >= aim * ideal or busy >= FULL_CORE)
        rows.append(Row(3, what, f"{rate:.0f}", beside, rate / ideal, *verdict))
    return rows


async def burst(stage: Stage, plan: Plan) -> list[Row]:
    """All messages at once, through many connections; then every contact has exactly one reply."""
    slots = plan.slots[-1]
    # A worker of the figure before may still have a reply on its way.
    stage.stop()
    await stage.run(OURS, slots=slots)
    stage.far_side.completion_seconds = plan.completion_seconds
    stage.empty()
    webhooks = make(plan.burst, stage.key, LOCATIONS)
    began = time.perf_counter()
    done = await flood(stage.port, webhooks, connections=plan.burst_connections)
    accepted = done.statuses[ACCEPTED]
    await stage.far_side.wait_for(accepted, seconds=DRAINS_WITHIN)
    rate = accepted / (time.perf_counter() - began)
    posts = stage.far_side.posts
    doubled = sum(len(times) - 1 for times in posts.values())
    p99 = done.percentile(99) * 1000
    return [
        Row(
            7,
            f"a burst of {plan.burst:,} webhooks",
            f"{accepted:,} accepted at {done.rate:,.0f}/s",
            f"ack p99 {p99:.0f} ms",
            None,
            "all",
            accepted == plan.burst,
        ),
        Row(
            7,
            "... drained",
            f"{rate:.0f} replies/s",
            f"{accepted - len(posts)} lost, {doubled} doubled",
            None,
            "0 lost",
            len(posts) == accepted and not doubled,
        ),
    ]


async def _rate(stage: Stage, plan: Plan, slots: int) -> tuple[float, float]:
    """Replies per second, and the share of a core that the bridge used."""
    await stage.run(OURS, slots=slots)
    stage.far_side.completion_seconds = plan.completion_seconds
    stage.empty()
    ideal = slots / plan.completion_seconds
    backlog = make(int(ideal * (plan.slots_seconds + 3 * plan.completion_seconds)), stage.key, LOCATIONS)
    await flood(stage.port, backlog, connections=plan.connections)
    # Filled slots end together at first: one completion's time is enough to spread them.
    await asyncio.sleep(plan.completion_seconds)
    began, before, used = time.perf_counter(), len(stage.far_side.posts), stage.cpu()
    await asyncio.sleep(plan.slots_seconds)
    seconds = time.perf_counter() - began
    return (len(stage.far_side.posts) - before) / seconds, (stage.cpu() - used) / seconds
