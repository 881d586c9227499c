"""The cost of one side (this tree or another commit): CPU of its processes and of Redis, commands, bytes; never times."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.bench.load import at_rate, flood
from infra.bench.operations import script_sha, watched
from infra.bench.stage import LOCATIONS, is_busy
from infra.bench.webhooks import make, make_ignored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from infra.bench.bridges import Bridge
    from infra.bench.stage import Stage
    from infra.bench.webhooks import Webhook

COMPLETION_SECONDS = 0.3
SLOW_COMPLETION_SECONDS = 2.0
SETTLES_SECONDS = 1.0
WAIT_SECONDS = 120.0
# Those who watch, and what reading the server's own figures sends: no process of the bridge does.
OURS = re.compile(r"^(INFO|MONITOR|ECHO|EXISTS ghlb:inflight |ZCARD \S+:workers$|AUTH|CLIENT|HELLO|SELECT)")
# What a reply has taken since commit 3537d8a that no commit before it had: unheard claims, delivery, evidence, names, reports.
SINCE = re.compile(r"[}b]:(unheard|taken|delivery|undelivered|excerpt|person|reported|report|folded)\b|deliveries\|")
EVIDENCE = re.compile(r',?\\*"evidence\\*":\{[^{}]*\}')


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPlan:
    """Sizes. Durations are seconds."""

    rounds: int
    replies: int
    rate: float
    connections: int
    slots: int
    events: int
    events_rate: float
    idle_seconds: float
    workers: int
    full_slots: int
    full_seconds: float


FULL = CostPlan(
    rounds=3,
    replies=160,
    rate=40.0,
    connections=48,
    slots=100,
    events=600,
    events_rate=150.0,
    idle_seconds=20.0,
    workers=6,
    full_slots=500,
    full_seconds=6.0,
)
QUICK = CostPlan(
    rounds=1,
    replies=20,
    rate=20.0,
    connections=8,
    slots=20,
    events=30,
    events_rate=60.0,
    idle_seconds=3.0,
    workers=2,
    full_slots=20,
    full_seconds=1.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """For one message: seconds of CPU, and bytes of the append-only file."""

    web: float
    worker: float
    redis: float
    file: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """For one message: calls, commands inside scripts, and the part of these numbers and bytes that is newer (`SINCE`)."""

    calls: float
    commands: float
    calls_since: float
    since: float
    since_bytes: float


async def first_messages(stage: Stage, plan: CostPlan, bridge: Bridge, settings: Mapping[str, object] | None = None) -> Spent:
    """Contacts write for the first time, at a rate per second; in the end each has its reply."""
    await prepare(stage, plan, bridge, settings=settings)
    return await _spent(stage, plan.replies, replies(stage, plan, plan.replies))


async def prepare(
    stage: Stage,
    plan: CostPlan,
    bridge: Bridge,
    *,
    workers: int = 1,
    slots: int = 0,
    settings: Mapping[str, object] | None = None,
) -> None:
    """Start the side with an empty Redis, and warm it up."""
    await stage.run(bridge, slots=slots or plan.slots, workers=workers)
    stage.far_side.completion_seconds = COMPLETION_SECONDS
    if bridge.ours:
        stage.empty(**(settings or {}))
    await replies(stage, plan, max(plan.replies // 4, 5 * workers))
    await asyncio.sleep(SETTLES_SECONDS)


async def replies(stage: Stage, plan: CostPlan, count: int) -> None:
    """A number of first messages with replies."""
    stage.far_side.forget()
    await at_rate(stage.port, make(count, stage.key, LOCATIONS), rate=plan.rate, connections=plan.connections)
    await _answered(stage, count)


async def ignored_events(stage: Stage, plan: CostPlan, bridge: Bridge) -> Spent:
    """Events without an answer, at a rate per second, at a warm receiver."""
    await stage.run(bridge, slots=plan.slots)
    await at_rate(stage.port, _ignored(stage, plan.events // 4), rate=plan.events_rate, connections=plan.connections)
    events = _ignored(stage, plan.events)
    sent = at_rate(stage.port, events, rate=plan.events_rate, connections=plan.connections)
    return await _spent(stage, plan.events, sent)


async def with_workers(stage: Stage, plan: CostPlan, bridge: Bridge, workers: int) -> float:
    """CPU of all workers per message at a low rate, minus the CPU of the same time without messages."""
    await prepare(stage, plan, bridge, workers=workers)
    loop = asyncio.get_running_loop()
    before, began = stage.cpu("worker"), loop.time()
    await asyncio.sleep(plan.idle_seconds / 3)
    idle = (stage.cpu("worker") - before) / (loop.time() - began)
    before, began = stage.cpu("worker"), loop.time()
    await replies(stage, plan, plan.replies)
    return (stage.cpu("worker") - before - idle * (loop.time() - began)) / plan.replies


async def replies_a_cpu_second(stage: Stage, plan: CostPlan, bridge: Bridge) -> float:
    """Replies per CPU second of a worker whose slots are all in use, with slow completions."""
    await prepare(stage, plan, bridge, slots=plan.full_slots)
    stage.far_side.completion_seconds = SLOW_COMPLETION_SECONDS
    stage.empty()
    ideal = plan.full_slots / SLOW_COMPLETION_SECONDS
    backlog = make(int(ideal * (plan.full_seconds + 2 * SLOW_COMPLETION_SECONDS)), stage.key, LOCATIONS)
    await flood(stage.port, backlog, connections=plan.connections)
    await asyncio.sleep(SLOW_COMPLETION_SECONDS)
    posts, before = len(stage.far_side.posts), stage.cpu("worker")
    await asyncio.sleep(plan.full_seconds)
    rate = (len(stage.far_side.posts) - posts) / (stage.cpu("worker") - before)
    await _answered(stage, len(backlog))
    return rate


async def idle_commands(stage: Stage, plan: CostPlan, bridge: Bridge) -> float:
    """The commands per second of one receiver and one worker when nothing happens, not even a sweep."""
    await prepare(stage, plan, bridge, settings={"reconcile_minutes": 0})
    await asyncio.sleep(10 * SETTLES_SECONDS)
    seen = await watched(stage, asyncio.sleep(plan.idle_seconds))
    return len(_sent(seen)) / plan.idle_seconds


async def counted(stage: Stage, plan: CostPlan, bridge: Bridge) -> Counted:
    """Calls and commands, counted with MONITOR, including those of the same time without messages."""
    await prepare(stage, plan, bridge)
    seen = await watched(stage, replies(stage, plan, plan.replies))
    inside = [command for command, within in seen if within]
    since = [command for command in inside if SINCE.search(command)]
    size = sum(map(len, since)) + sum(len(found) for command in inside for found in EVIDENCE.findall(command))
    n, sent = plan.replies, _sent(seen)
    # The fence before a request to a provider that delivers by itself; a heartbeat renews the leases of longer turns too.
    calls_since = sum(script_sha("renew") in command for command in sent)
    return Counted(
        calls_since=calls_since / n, calls=len(sent) / n, commands=len(inside) / n, since=len(since) / n, since_bytes=size / n
    )


def _sent(seen: Sequence[tuple[str, bool]]) -> list[str]:
    return [command for command, within in seen if not within and not OURS.match(command)]


def _ignored(stage: Stage, count: int) -> list[Webhook]:
    return make_ignored(count, stage.key, LOCATIONS)


async def _spent(stage: Stage, count: int, meanwhile: Awaitable[object]) -> Spent:
    before = (stage.cpu("web"), stage.cpu("worker"), stage.cpu_of_redis(), _file(stage))
    await meanwhile
    after = (stage.cpu("web"), stage.cpu("worker"), stage.cpu_of_redis(), _file(stage))
    web, worker, redis, file = ((end - start) / count for start, end in zip(before, after, strict=True))
    return Spent(web=web, worker=worker, redis=redis, file=file)


async def _answered(stage: Stage, count: int) -> None:
    """Whether each message has its reply, and no turn is in progress."""
    await stage.far_side.wait_for(count, seconds=WAIT_SECONDS)
    with stage.redis as redis:
        while is_busy(redis):
            await asyncio.sleep(0.05)


def _file(stage: Stage) -> float:
    with stage.redis as redis:
        persistence: dict[str, Any] = redis.info("persistence")
    return float(persistence["aof_current_size"])
