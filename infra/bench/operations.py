"""Figure 8: the calls to Redis for one message, by name: counted with MONITOR, which shows the scripts' commands too."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from bridge.store.redis.lua import all_scripts, script
from infra.bench.bridges import OURS
from infra.bench.load import at_rate
from infra.bench.report import Row, table
from infra.bench.stage import LOCATIONS, is_busy
from infra.bench.webhooks import make

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from infra.bench.plan import Plan
    from infra.bench.stage import Stage

WAIT_SECONDS = 30.0
END = "the-end-of-counting"
BROKER = {"LPUSH", "BRPOP", "ZADD", "HSET", "ZREM", "HDEL", "MULTI", "EXEC", "ZREVRANGEBYSCORE", "LLEN", "SETNX", "EXPIRE"}


async def measure(stage: Stage, plan: Plan) -> tuple[list[Row], str]:
    """The sums, and the table by call."""
    await stage.run(OURS, slots=plan.slots[0])
    stage.far_side.completion_seconds = 0.0
    stage.empty()
    await _answer(stage, plan, 5)
    before = _traffic(stage)
    await _answer(stage, plan, plan.counted)
    sent, received, kept = (after - start for after, start in zip(_traffic(stage), before, strict=True))
    seen = await _watched(stage, plan)
    calls = sum(count for (_, _inside), (count, _) in seen.items() if not _inside)
    inside = sum(count for (_, _inside), (count, _) in seen.items() if _inside)
    n = plan.counted
    rows = [
        Row(8, "Redis calls per message", f"{calls / n:.1f}", f"commands inside scripts: {inside / n:.0f}"),
        Row(
            8,
            "bytes per message to and from Redis",
            f"{sent / n:,.0f} + {received / n:,.0f}",
            f"append-only file: {kept / n:,.0f}",
        ),
    ]
    shown = sorted(((name, *numbers) for (name, within), numbers in seen.items() if not within), key=lambda one: -one[2])
    lines = [(name, f"{count / n:.2f}", f"{size / n:,.0f}") for name, count, size in shown]
    return rows, table(("call", "times a message", "bytes sent a message"), lines)


async def _answer(stage: Stage, plan: Plan, count: int) -> None:
    stage.far_side.forget()
    await at_rate(stage.port, make(count, stage.key, LOCATIONS), rate=plan.cpu_rate, connections=plan.connections)
    await stage.far_side.wait_for(count, seconds=WAIT_SECONDS)
    with stage.redis as redis:
        while is_busy(redis):
            await asyncio.sleep(0.02)


async def _watched(stage: Stage, plan: Plan) -> dict[tuple[str, bool], tuple[int, int]]:
    """Calls and their bytes, by name and whether a script made them."""
    counts: Counter[tuple[str, bool]] = Counter()
    sizes: Counter[tuple[str, bool]] = Counter()
    names = _script_names()
    for command, within in await watched(stage, _answer(stage, plan, plan.counted)):
        name = _name(command, names), within
        counts[name] += 1
        sizes[name] += len(command)
    return {name: (count, sizes[name]) for name, count in counts.items()}


async def watched(stage: Stage, meanwhile: Awaitable[object]) -> list[tuple[str, bool]]:
    """Every command that Redis runs in the meantime, and whether a script made it."""
    seen: list[tuple[str, bool]] = []
    watching = threading.Event()

    def watch() -> None:
        with stage.redis as redis, redis.monitor() as monitor:
            watching.set()
            for one in monitor.listen():
                if END in one["command"]:
                    return
                seen.append((one["command"], one["client_type"] == "lua"))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    await asyncio.to_thread(watching.wait)
    await meanwhile
    with stage.redis as redis:
        redis.echo(END)
    await asyncio.to_thread(thread.join)
    return seen


def _name(command: str, scripts: dict[str, str]) -> str:
    verb, _, rest = command.partition(" ")
    if verb.upper() in {"EVALSHA", "EVAL"}:
        return f"script {scripts.get(rest.partition(' ')[0], 'of another')}"
    target = rest.partition(" ")[0]
    if target.startswith(("ghlb:", "{ghlb:")):
        # Without the partition.
        return f"{verb.upper()} ghlb:{target.partition('}:')[2].split(':')[0] or target.split(':')[1]}"
    return f"{verb.upper()} (Celery)" if verb.upper() in BROKER else verb.upper()


def script_sha(name: str) -> str:
    """The hash of one of this tree's scripts in Redis."""
    return sha1(script(name).encode(), usedforsecurity=False).hexdigest()


def _script_names() -> dict[str, str]:
    return {script_sha(name): name for name in all_scripts()}


def _traffic(stage: Stage) -> tuple[float, float, float]:
    with stage.redis as redis:
        stats: dict[str, Any] = redis.info("stats")
        persistence: dict[str, Any] = redis.info("persistence")
    return stats["total_net_input_bytes"], stats["total_net_output_bytes"], persistence["aof_current_size"]
