"""`python -m infra.bench [--quick]`: measures everything beside its baselines, prints a table, writes results.md unless quick."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from bridge.cli import redis_server
from infra.bench import adding, backlog, in_flight, node_red, operations, receiving, replying, slots, starting
from infra.bench.far_side import FarSide
from infra.bench.plan import FULL, QUICK
from infra.bench.report import HEAD, Row, machine, table
from infra.bench.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from infra.bench.plan import Plan

RESULTS = Path(__file__).parent / "results.md"
# In an order that starts the fewest processes.
FIGURES: dict[str, Callable[[Stage, Plan], Awaitable[Any]]] = {
    "1": receiving.measure,
    "2": replying.measure,
    "4": adding.measure,
    "8": operations.measure,
    "6": backlog.measure,
    "3": slots.measure,
    "7": slots.burst,
    "5": in_flight.measure,
    "9": starting.measure,
    "10": node_red.measure,
}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m infra.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that it runs; the figures say little, and nothing is written")
    parser.add_argument("--only", default=",".join(FIGURES), help="figures, such as 1,3")
    given = parser.parse_args()
    text = uvloop.run(_measure(QUICK if given.quick else FULL, given.only.split(",")))
    print(text)
    if not given.quick and set(FIGURES) == set(given.only.split(",")):
        RESULTS.write_text(f"# What `make bench` measured\n\n{text}\n", encoding="utf-8")


async def _measure(plan: Plan, only: list[str]) -> str:
    began = time.perf_counter()
    rows: list[Row] = []
    calls = ""
    far_side = FarSide()
    with tempfile.TemporaryDirectory() as folder, redis_server.running(Path(folder) / "redis") as url:
        stage = Stage(Path(folder), url, far_side, await far_side.open())
        try:
            load = await receiving.capacity_of_the_load(stage, plan)
            for name, measure in FIGURES.items():
                if name in only:
                    found = await measure(stage, plan)
                    new, calls = found if isinstance(found, tuple) else (found, calls)
                    rows += new
                    print(f"figure {name} after {time.perf_counter() - began:.0f} s", flush=True)
        finally:
            stage.stop()
        with stage.redis as redis:
            where = machine(redis.info("server"))
    rows.sort(key=lambda row: row.figure)
    sender = f"The sender and the far side share one process and could do {load:,.0f} webhooks/s against each other."
    return "\n\n".join(filter(None, [table(HEAD, [row.cells for row in rows]), where, sender, calls]))


if __name__ == "__main__":
    main()
