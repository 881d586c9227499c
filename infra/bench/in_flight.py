"""Figure 5: a worker's memory during many simultaneous completions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from infra.bench.bridges import OURS
from infra.bench.load import flood
from infra.bench.report import Row
from infra.bench.stage import LOCATIONS
from infra.bench.webhooks import make

if TYPE_CHECKING:
    from infra.bench.plan import Plan
    from infra.bench.stage import Stage

# Longer than it takes to start them all.
COMPLETION_SECONDS = 25.0
MOST_MB = 200
WAIT_SECONDS = 60.0


async def measure(stage: Stage, plan: Plan) -> list[Row]:
    """One worker process with as many slots as completions."""
    await stage.run(OURS, slots=plan.in_flight)
    stage.empty()
    idle = stage.megabytes("worker")
    stage.far_side.completion_seconds = COMPLETION_SECONDS if plan.in_flight > len(LOCATIONS) else 2.0
    await flood(stage.port, make(plan.in_flight, stage.key, LOCATIONS), connections=plan.connections)
    most = 0
    async with asyncio.timeout(WAIT_SECONDS):
        while len(stage.far_side.posts) == 0 and most < plan.in_flight:
            most = max(most, stage.far_side.in_flight)
            await asyncio.sleep(0.05)
    full = stage.megabytes("worker")
    await stage.far_side.wait_for(plan.in_flight, seconds=WAIT_SECONDS + COMPLETION_SECONDS)
    held = full - idle
    return [
        Row(
            5,
            f"worker memory with {most:,} completions in flight",
            f"+{held:.0f} MB",
            f"idle: {idle:.0f} MB",
            None,
            f"<= {MOST_MB} MB",
            held <= MOST_MB,
        )
    ]
