"""`python -m infra.bench.against REV [--quick]`: the cost of a reply here and at another commit, side by side, with the targets.

Redis, sender and servers are the same, the sides run in turns, and a ratio is the median of the rounds' ratios. Only CPU, counts
and bytes are compared.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import uvloop

from bridge.cli import redis_server
from infra.bench import cost
from infra.bench.bridges import TUNED
from infra.bench.checkout import PROJECT, bridge_of, check_out, memory_of
from infra.bench.far_side import FarSide
from infra.bench.replying import LEAN
from infra.bench.report import machine, middle_ratio, table
from infra.bench.sides import HEAD, Figure, Sides, compare
from infra.bench.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from infra.bench.cost import CostPlan

MS = 1000.0
# Of a command inside a script: the first prototype of notes.md had 94 less, and took 13 % less of 2,405 us.
SECONDS_A_COMMAND = 3.3e-6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m infra.bench.against", description=__doc__)
    parser.add_argument("rev", help="a commit of this project")
    parser.add_argument("--quick", action="store_true", help="see that it runs; the figures say little")
    parser.add_argument("--only", default="1,2,3,4,5,6,7,8,9", help="rows, such as 1,9")
    parser.add_argument("--rounds", type=int, help="instead of the plan's")
    given = parser.parse_args()
    plan = cost.QUICK if given.quick else cost.FULL
    plan = replace(plan, rounds=given.rounds) if given.rounds else plan
    print(uvloop.run(_measure(given.rev, plan, {int(one) for one in given.only.split(",")})))


async def _measure(rev: str, plan: CostPlan, only: set[int]) -> str:
    folder = check_out(rev)
    far_side = FarSide()
    with tempfile.TemporaryDirectory() as scratch, redis_server.running(Path(scratch) / "redis") as url:
        stage = Stage(Path(scratch), url, far_side, await far_side.open())
        sides = Sides(stage, plan, bridge_of(PROJECT, "here"), bridge_of(folder, "there"), folder)
        figures: list[Figure] = []
        try:
            for numbers, measure in ROWS:
                if only & numbers:
                    figures += [one for one in await measure(sides) if one.number in only]
        finally:
            stage.stop()
        with stage.redis as redis:
            where = machine(redis.info("server"))
    rows = sorted(figures, key=lambda one: one.number)
    return "\n\n".join((table(HEAD, [one.cells for one in rows]), f"against {rev}, {plan.rounds} rounds; {where}"))


async def replying(sides: Sides) -> list[Figure]:
    """Rows 1, 2, 3 and 5: a contact's first message. Later features are excluded by their counts."""
    stage, plan = sides.stage, sides.plan
    counts = [await cost.counted(stage, plan, one) for one in (sides.here, sides.there)]
    here, there, tuned, lean = await sides.in_turns(
        lambda: cost.first_messages(stage, plan, sides.here),
        lambda: cost.first_messages(stage, plan, sides.there),
        lambda: cost.first_messages(stage, plan, TUNED),
        lambda: cost.first_messages(stage, plan, sides.here, LEAN),
    )

    def each(side: Iterable[cost.Spent], *what: str) -> list[float]:
        return [sum(getattr(one, name) for name in what) for one in side]

    since, both = counts[0].since * SECONDS_A_COMMAND, ("web", "worker")
    ms = "Redis CPU, a first message and its reply (ms)"
    to_tuned = "... receiver and worker to the tuned one's (ms)"
    return [
        compare(1, ms, each(here, "redis"), each(there, "redis"), scale=MS, most=0.65, off=since),
        *operations(*counts),
        compare(
            3,
            "append-only bytes a reply",
            each(here, "file"),
            each(there, "file"),
            form=",.0f",
            most=0.6,
            off=counts[0].since_bytes,
        ),
        compare(5, "worker CPU, a first message (ms)", each(here, "worker"), each(there, "worker"), scale=MS, most=0.75),
        compare(5, to_tuned, each(here, *both), each(tuned, *both), scale=MS, most=1.2),
        compare(5, "... without look-ups", each(lean, *both), each(tuned, *both), scale=MS, most=1.05),
    ]


def operations(here: cost.Counted, there: cost.Counted) -> list[Figure]:
    """Row 2, with absolute targets."""
    before = f"{there.commands:.0f}"
    counts = f"{here.commands:.0f}, of these since: {here.since:.0f}"
    calls_told = f"{here.calls:.1f}, of these since: {here.calls_since:.1f}"
    ratio, less = here.commands / there.commands, (here.commands - here.since) / there.commands
    calls = here.calls / there.calls
    return [
        Figure(
            number=2,
            what="calls to Redis a reply",
            here=calls_told,
            there=f"{there.calls:.1f}",
            ratio=calls,
            less=(here.calls - here.calls_since) / there.calls,
            most=7,
            decides=here.calls,
        ),
        Figure(
            number=2,
            what="... commands inside them",
            here=counts,
            there=before,
            ratio=ratio,
            less=less,
            most=150,
            decides=here.commands,
        ),
    ]


async def idle(sides: Sides) -> list[Figure]:
    """Row 9."""
    here, there = [[await cost.idle_commands(sides.stage, sides.plan, one)] for one in (sides.here, sides.there)]
    return [compare(9, "commands an idle web and worker send, a second", here, there, most=0.25)]


async def ignoring(sides: Sides) -> list[Figure]:
    """Row 8."""
    here, there = await sides.both(cost.ignored_events)
    web, redis = ([[getattr(one, what) for one in side] for side in (here, there)] for what in ("web", "redis"))
    both = [[one + other for one, other in zip(*pair, strict=True)] for pair in zip(web, redis, strict=True)]
    return [
        compare(8, "receiver and Redis CPU, an ignored event (ms)", *both, form=".3f", scale=MS, most=0.6),
        compare(8, "... receiver's", *web, form=".3f", scale=MS),
        compare(8, "... Redis'", *redis, form=".3f", scale=MS),
    ]


async def many_workers(sides: Sides) -> list[Figure]:
    """Row 6: each side's many workers compared with its one."""
    most = sides.plan.workers
    many = await sides.both(lambda stage, plan, bridge: cost.with_workers(stage, plan, bridge, most))
    one = await sides.both(lambda stage, plan, bridge: cost.with_workers(stage, plan, bridge, 1))
    ratios = [middle_ratio(*pair) for pair in zip(many, one, strict=True)]
    pairs = zip(many, one, ratios, strict=True)
    here, there = (f"{median(all_) * MS:.1f} to {median(its) * MS:.1f}: {ratio:.2f}" for all_, its, ratio in pairs)
    what = f"workers' CPU a message, {most} workers to one (ms)"
    return [Figure(number=6, what=what, here=here, there=there, ratio=ratios[0], most=1.15)]


async def full(sides: Sides) -> list[Figure]:
    """Row 7: more is better."""
    here, there = await sides.both(cost.replies_a_cpu_second)
    what = f"replies a worker CPU second, {sides.plan.full_slots} slots"
    return [compare(7, what, here, there, form=".0f", least=1.4)]


async def memory(sides: Sides) -> list[Figure]:
    """Row 4, with an absolute target: each side's own measurement."""
    told, before = memory_of(PROJECT), memory_of(sides.folder_there)
    kept, all_of, all_there = (
        int(_bytes(text, what))
        for text, what in ((told, "day-long keys gone"), (told, "a conversation"), (before, "a conversation"))
    )
    what = "kept of a conversation, its day-long keys gone (bytes)"
    here, there = f"{kept:,} ({all_of:,} with these)", f"({all_there:,} with these)"
    return [Figure(number=4, what=what, here=here, there=there, ratio=all_of / all_there, most=2600, decides=kept)]


def _bytes(told: str, what: str) -> str:
    found = re.search(rf"memory.*{re.escape(what)}.*\*\*([\d,]+)\*\*", told)
    return found[1].replace(",", "") if found else "0"


ROWS: tuple[tuple[frozenset[int], Callable[[Sides], Awaitable[list[Figure]]]], ...] = (
    (frozenset({1, 2, 3, 5}), replying),
    (frozenset({9}), idle),
    (frozenset({8}), ignoring),
    (frozenset({6}), many_workers),
    (frozenset({7}), full),
    (frozenset({4}), memory),
)

if __name__ == "__main__":
    main()
