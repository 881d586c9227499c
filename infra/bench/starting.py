"""Figure 9: how long the command line, the receiver and the worker take to start, and their memory then."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli import redis_server
from infra.bench.bridges import OURS
from infra.bench.report import Row

if TYPE_CHECKING:
    from infra.bench.plan import Plan
    from infra.bench.stage import Stage

SETTLE_SECONDS = 1.0
SLOTS = 200
AIMS = {"ghl-bridge --help": 0.4, "receiver ready": 1.5, "worker ready": 3.0}


async def measure(stage: Stage, plan: Plan) -> list[Row]:
    """The best of some starts, because other work on the machine only adds time."""
    times: dict[str, list[float]] = {name: [] for name in AIMS}
    for _ in range(plan.starts):
        stage.stop()
        stage.empty()
        stage.port = redis_server.free_port()
        environ = stage.environ(WORKER_CONCURRENCY=str(SLOTS))
        times["ghl-bridge --help"].append(_help(environ))
        began = time.perf_counter()
        stage.spawn("web", OURS.web, environ)
        await stage.until(stage.listens)
        times["receiver ready"].append(time.perf_counter() - began)
        began = time.perf_counter()
        stage.spawn("worker", OURS.worker, environ)
        await stage.until(stage.works)
        times["worker ready"].append(time.perf_counter() - began)
    await asyncio.sleep(SETTLE_SECONDS)
    held = {"receiver ready": stage.megabytes("web"), "worker ready": stage.megabytes("worker")}
    stage.stop()
    return [
        Row(
            9,
            name,
            f"{min(times[name]):.2f} s",
            f"idle: {held[name]:.0f} MB" if name in held else "",
            None,
            f"<= {aim} s",
            min(times[name]) <= aim,
        )
        for name, aim in AIMS.items()
    ]


def _help(environ: dict[str, str]) -> float:
    command = [str(Path(sys.executable).parent / "ghl-bridge"), "--help"]
    began = time.perf_counter()
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - our own
    return time.perf_counter() - began
