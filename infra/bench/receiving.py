"""Figure 1: accepted webhooks per second, and the time of each until its 202."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from infra.bench.bridges import DELAYING, FLOOR, OURS
from infra.bench.load import at_rate, flood
from infra.bench.report import Row, middle_ratio
from infra.bench.stage import LOCATIONS
from infra.bench.webhooks import make

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.bench.bridges import Bridge
    from infra.bench.load import Answered
    from infra.bench.plan import Plan
    from infra.bench.stage import Stage

WARM_UP = 100
SETTLE_SECONDS = 0.5
ACCEPTED = 202


async def measure(stage: Stage, plan: Plan) -> list[Row]:
    """Each receiver in turn, several times; then ours at half of its capacity."""
    webhooks = make(plan.webhooks, stage.key, LOCATIONS)
    rates: dict[str, list[float]] = {bridge.name: [] for bridge in (OURS, FLOOR, DELAYING)}
    for _ in range(plan.rounds):
        for bridge in (OURS, FLOOR, DELAYING):
            await stage.run(bridge)
            warm = make(WARM_UP, stage.key, LOCATIONS)
            await flood(stage.port, warm, connections=plan.connections)
            done = await flood(stage.port, webhooks, connections=plan.connections, seconds=plan.receive_seconds)
            rates[bridge.name].append(done.rate)
            _check(done, {ACCEPTED} if bridge is not DELAYING else {ACCEPTED, 200})
    ours = median(rates[OURS.name])
    p50, p99 = await _at_half(stage, plan, ours / 2)
    return [
        _compare("accepted webhooks/s, one receiver", rates, DELAYING, least=4.0),
        _compare("", rates, FLOOR, least=1.0),
        Row(
            1,
            f"ack p99 at half of that ({ours / 2:,.0f}/s)",
            f"{p99:.1f} ms",
            f"p50: {p50:.1f} ms",
            p99 / p50,
            "<= 4",
            p99 <= 4 * p50,
        ),
    ]


def _compare(what: str, rates: Mapping[str, Sequence[float]], other: Bridge, *, least: float) -> Row:
    """Our rate compared with another's: the medians, and the median of the rounds' ratios."""
    ratio = middle_ratio(rates[OURS.name], rates[other.name])
    measured, beside = (f"{median(rates[name]):,.0f}" for name in (OURS.name, other.name))
    return Row(1, what, measured, f"{other.name}: {beside}", ratio, f">= {least:g}", ratio >= least)


async def _at_half(stage: Stage, plan: Plan, rate: float) -> tuple[float, float]:
    """The median and the 99th percentile (ms) of the answers at this rate: the median of several rounds, as with the rates."""
    await stage.run(OURS)
    await flood(stage.port, make(WARM_UP, stage.key, LOCATIONS), connections=plan.connections)
    rounds = []
    for _ in range(plan.rounds):
        calm = make(int(rate * (SETTLE_SECONDS + plan.receive_seconds)), stage.key, LOCATIONS)
        done = await at_rate(stage.port, calm, rate=rate, connections=plan.connections, settle_seconds=SETTLE_SECONDS)
        rounds.append(done)
    middle = sorted(rounds, key=lambda one: one.percentile(99) / one.percentile(50))[len(rounds) // 2]
    return middle.percentile(50) * 1000, middle.percentile(99) * 1000


async def capacity_of_the_load(stage: Stage, plan: Plan) -> float:
    """The sender's capacity: answers per second from a server that does nothing."""
    nothing = make(plan.webhooks // 2, stage.key, LOCATIONS)
    port = int(stage.far_url.rpartition(":")[2])
    done = await flood(port, nothing, connections=plan.connections, seconds=plan.receive_seconds)
    stage.far_side.forget()
    return done.rate


def _check(done: Answered, good: set[int]) -> None:
    bad = {status: count for status, count in done.statuses.items() if status not in good}
    if bad:
        raise RuntimeError(f"a receiver answered otherwise than it should: {bad}")
