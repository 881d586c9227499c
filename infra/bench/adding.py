"""Figure 4: the time that the bridge adds, from a webhook to its post, without the completion; no debounce is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.bench.bridges import OURS
from infra.bench.load import at_rate, percentile
from infra.bench.report import Row
from infra.bench.stage import LOCATIONS
from infra.bench.webhooks import make

if TYPE_CHECKING:
    from infra.bench.plan import Plan
    from infra.bench.stage import Stage

COMPLETION_SECONDS = 0.2
WAIT_SECONDS = 60.0
P50_MS, P99_MS = 30, 200


async def measure(stage: Stage, plan: Plan) -> list[Row]:
    """Measure each rate."""
    await stage.run(OURS, slots=plan.slots[0])
    stage.far_side.completion_seconds = COMPLETION_SECONDS
    rows = []
    for rate in plan.rates:
        p50, p99 = await _added(stage, plan, rate)
        held = rate == plan.rates[0]
        rows += [
            Row(
                4,
                f"time added at {rate:g} messages/s, p50",
                f"{p50:.0f} ms",
                "",
                None,
                f"<= {P50_MS} ms" if held else "",
                p50 <= P50_MS if held else None,
            ),
            Row(4, "... p99", f"{p99:.0f} ms", "", None, f"<= {P99_MS} ms" if held else "", p99 <= P99_MS if held else None),
        ]
    return rows


async def _added(stage: Stage, plan: Plan, rate: float) -> tuple[float, float]:
    stage.empty()
    await at_rate(stage.port, make(int(rate), stage.key, LOCATIONS), rate=rate, connections=plan.connections)
    await stage.far_side.wait_for(int(rate), seconds=WAIT_SECONDS)
    stage.far_side.forget()
    webhooks = make(int(rate * plan.rate_seconds), stage.key, LOCATIONS)
    done = await at_rate(stage.port, webhooks, rate=rate, connections=plan.connections)
    await stage.far_side.wait_for(len(webhooks), seconds=WAIT_SECONDS)
    posts = stage.far_side.posts
    added = [(posts[one.contact_id][0] - done.sent_at[one.contact_id] - COMPLETION_SECONDS) * 1000 for one in webhooks]
    return percentile(added, 50), percentile(added, 99)
