"""What a cluster costs and brings, beside one server: `python -m infra.bench.clustered [--quick] [--only load|idle]`.

Primaries without replicas, all on this machine, with appendfsync always. Conversations of one message and one reply go through
the real scripts, without GHL or a provider; accepts go through the receiver's own inbox, from this one process. The sides take
turns, so that other work on the machine meets each of them. On few cores the rates don't grow with the nodes; the CPU of the
busiest node for each message does fall, and that is what limits a cluster whose nodes have a core each.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bridge.cli import redis_server
from bridge.locations import Location
from bridge.model import LocationId
from bridge.store.lanes.inbox import Inbox
from bridge.store.locations.records import Locations
from bridge.store.redis.connection import connect, connect_async
from bridge.store.redis.partitions import PARTITIONS, partition_of
from infra.bench.idle_workers import idle
from infra.bench.memory import FERNET_KEY, RETENTION_MS, converse, cpu_seconds, message_to
from infra.bench.report import machine, middle_ratio, table
from infra.dev import cluster

if TYPE_CHECKING:
    from collections.abc import Iterable

CALLERS = 64
PRIMARIES = (1, 2, 4)
PARTITIONS_USED = (1, 4, 16)
# How much more a reply may cost a single server than if all its lanes were in one partition.
MOST = 1.05
HEADS = (
    "state in",
    "partitions used",
    "Redis' CPU a reply (ms)",
    "the busiest node's",
    "to one partition",
    "replies a second, one caller",
    "Redis' CPU an accept (ms)",
    "the busiest node's",
    "accepts a second, 64 callers",
)
IDLE_HEADS = ("state in", "workers", "commands a second", "Redis' CPU (ms a second)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes. `workers` are the numbers of idle workers, `idle_primaries` the clusters that they use, besides one server."""

    rounds: int
    conversations: int
    accepts_seconds: float
    workers: tuple[int, ...]
    idle_primaries: tuple[int, ...]
    idle_seconds: float


FULL = Plan(rounds=5, conversations=200, accepts_seconds=2.0, workers=(1, 2, 4, 6), idle_primaries=(4,), idle_seconds=10.0)
QUICK = Plan(rounds=1, conversations=20, accepts_seconds=0.2, workers=(1,), idle_primaries=(2,), idle_seconds=1.0)


def locations_in(partitions: int) -> list[LocationId]:
    """As many locations as there are partitions, spread evenly over this many of these, in their order."""
    each = PARTITIONS // partitions
    found: dict[int, list[LocationId]] = {number * each: [] for number in range(partitions)}
    for number in count():
        its = found.get(partition_of(f"bench{number}"), [])
        if len(its) < each:
            its.append(LocationId(f"bench{number}"))
        if all(len(its) == each for its in found.values()):
            break
    return [found[at][number] for number in range(each) for at in sorted(found)]


@dataclass(frozen=True, slots=True)
class Measured:
    """What something cost each server (ms of CPU for one), and how many there were a second."""

    cpu_ms: tuple[float, ...]
    rate: float


@dataclass(slots=True)
class Side:
    """A state, the servers that hold it, and how many partitions its lanes are in; what each round measured."""

    name: str
    url: str
    servers: tuple[str, ...]
    partitions: int = PARTITIONS
    replies: list[Measured] = field(default_factory=list)
    accepts: list[Measured] = field(default_factory=list)

    @property
    def locations(self) -> list[LocationId]:
        """The locations that are used."""
        return locations_in(self.partitions)

    def prepare(self) -> None:
        """Apply the locations, and have scripts loaded and buffers grown."""
        apply(self.url, self.locations)
        with connect(self.url) as redis:
            converse(redis, self.url, 2 * PARTITIONS, self.locations)

    def reply(self, plan: Plan) -> None:
        """Measure conversations once."""
        locations = self.locations
        before, began = self.cpu(), time.perf_counter()
        with connect(self.url) as redis:
            converse(redis, self.url, plan.conversations, locations)
        self.replies.append(self._since(before, began, plan.conversations))

    def accept(self, plan: Plan) -> None:
        """Measure accepts once. What they accept stays, so that conversations are measured before."""
        before, began = self.cpu(), time.perf_counter()
        accepted = asyncio.run(self._accept(plan.accepts_seconds))
        self.accepts.append(self._since(before, began, accepted))

    async def _accept(self, seconds: float) -> int:
        """Accept messages for this time, and answer how many."""
        inbox = Inbox(connect_async(self.url), retention_ms=RETENTION_MS, seconds=10.0)
        locations = self.locations
        end = time.perf_counter() + seconds
        done = 0

        async def caller(number: int) -> None:
            nonlocal done
            while time.perf_counter() < end:
                await inbox.accept(message_to(locations[(number + done) % len(locations)]))
                done += 1

        await asyncio.gather(*map(caller, range(CALLERS)))
        await inbox.close()
        return done

    def _since(self, before: tuple[float, ...], began: float, done: int) -> Measured:
        took = time.perf_counter() - began
        used = (now - then for now, then in zip(self.cpu(), before, strict=True))
        return Measured(tuple(one / done * 1000 for one in used), done / took)

    def cpu(self) -> tuple[float, ...]:
        """Of each server so far (s)."""
        used = []
        for url in self.servers:
            with connect(url) as redis:
                used.append(cpu_seconds(redis))
        return tuple(used)

    def row(self, first: Side) -> tuple[str, ...]:
        """The middle of all rounds; the ratio of a reply's CPU is taken to the same round of `first`."""
        ratio = middle_ratio(map(_all, self.replies), map(_all, first.replies))
        told = f"{ratio:.2f}"
        if self is not first and len(self.servers) == 1 and self.url == self.servers[0]:
            told += f" (at most {MOST}: {'met' if ratio <= MOST else 'missed'})"
        return (self.name, str(self.partitions), *_told(self.replies, told), *_told(self.accepts))


def _told(rounds: Iterable[Measured], *between: str) -> tuple[str, ...]:
    found = list(rounds)
    cpu, busiest = (median(map(of, found)) for of in (_all, _busiest))
    return (f"{cpu:.2f}", f"{busiest:.2f}", *between, f"{median(one.rate for one in found):,.0f}")


def _all(one: Measured) -> float:
    return sum(one.cpu_ms)


def _busiest(one: Measured) -> float:
    return max(one.cpu_ms)


def apply(url: str, locations: Iterable[LocationId]) -> None:
    """Apply these locations; none is swept."""
    with connect(url) as redis:
        Locations(redis, fernet_keys=[FERNET_KEY], retention_ms=RETENTION_MS).apply(
            [Location(id=one, debounce_seconds=0, debounce_max_seconds=0, reconcile_minutes=0) for one in locations]
        )


def measure_sides(plan: Plan, folder: Path) -> str:
    """One server whose lanes are in 1, 4 or 16 partitions, and clusters."""
    with ExitStack() as stack:
        sides = []
        for used in PARTITIONS_USED:
            url = stack.enter_context(redis_server.running(folder / f"server-{used}"))
            sides.append(Side("one server", url, (url,), used))
        for primaries in PRIMARIES:
            nodes = stack.enter_context(cluster.running(folder / f"cluster-{primaries}", primaries=primaries, replicas=0))
            urls = tuple(node.url for node in nodes.nodes)
            sides.append(Side(f"a cluster of {primaries}", nodes.url, urls))
        for side in sides:
            side.prepare()
        for measure in (Side.reply, Side.accept):
            for _ in range(plan.rounds):
                for side in sides:
                    measure(side, plan)
        with connect(sides[0].url) as redis:
            where = machine(redis.info("server"))
        return f"{table(HEADS, [side.row(sides[0]) for side in sides])}\n\n{plan.rounds} rounds; {where}"


def measure_idle(plan: Plan, folder: Path) -> str:
    """So many idle workers on one server and on clusters; the broker is another server."""
    rows = []
    with redis_server.running(folder / "broker") as broker:
        with redis_server.running(folder / "idle") as url:
            rows += _idle_rows("one server", url, (url,), broker, plan)
        for primaries in plan.idle_primaries:
            with cluster.running(folder / f"idle-{primaries}", primaries=primaries, replicas=0) as nodes:
                urls = tuple(node.url for node in nodes.nodes)
                rows += _idle_rows(f"a cluster of {primaries}", nodes.url, urls, broker, plan)
    return f"\n{table(IDLE_HEADS, rows)}"


def _idle_rows(name: str, url: str, servers: tuple[str, ...], broker: str, plan: Plan) -> list[tuple[str, ...]]:
    apply(url, locations_in(PARTITIONS))
    found = [(workers, *idle(url, servers, broker, workers, plan.idle_seconds)) for workers in plan.workers]
    return [(name, str(workers), f"{sent:.1f}", f"{cpu:.1f}") for workers, sent, cpu in found]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m infra.bench.clustered", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that it runs; the figures say little")
    parser.add_argument("--only", choices=("load", "idle"), help="one of the two tables")
    given = parser.parse_args()
    plan = QUICK if given.quick else FULL
    for name, measure in (("load", measure_sides), ("idle", measure_idle)):
        if given.only in {None, name}:
            with tempfile.TemporaryDirectory() as folder:
                print(measure(plan, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
