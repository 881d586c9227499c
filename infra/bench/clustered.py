"""What a cluster costs and brings, beside one server: `python -m infra.bench.clustered`.

Primaries without replicas, all on this machine, with appendfsync always. Conversations of one message and one reply go through
the real scripts, without GHL or a provider; accepts go through the receiver's own inbox, from this one process. The sides take
turns, so that other work on the machine meets each of them.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median

from bridge.cli import redis_server
from bridge.locations import Location
from bridge.model import LocationId
from bridge.store.lanes.inbox import Inbox
from bridge.store.locations.records import Locations
from bridge.store.redis.connection import connect, connect_async
from bridge.store.redis.partitions import PARTITIONS, partition_of
from infra.bench.memory import FERNET_KEY, RETENTION_MS, converse, cpu_seconds, message_to
from infra.bench.report import table
from infra.dev import cluster

ROUNDS = 3
CONVERSATIONS = 200
ACCEPTS_SECONDS = 1.5
CALLERS = 64
PRIMARIES = (1, 2, 4)
PARTITIONS_USED = (1, 4, 16)


def _locations() -> list[LocationId]:
    """One of each partition."""
    found: dict[int, LocationId] = {}
    for number in count():
        found.setdefault(partition_of(f"bench{number}"), LocationId(f"bench{number}"))
        if len(found) == PARTITIONS:
            break
    return [found[at] for at in sorted(found)]


@dataclass(slots=True)
class Side:
    """A state, the servers that hold it, and the locations that are used; what each round measured."""

    name: str
    url: str
    servers: tuple[str, ...]
    locations: list[LocationId]
    cpu_ms: list[float] = field(default_factory=list)
    replies: list[float] = field(default_factory=list)
    accepts: list[float] = field(default_factory=list)

    def prepare(self) -> None:
        """Apply the locations, and have scripts loaded and buffers grown."""
        with connect(self.url) as redis:
            Locations(redis, fernet_keys=[FERNET_KEY], retention_ms=RETENTION_MS).apply(
                [Location(id=one, debounce_seconds=0, debounce_max_seconds=0) for one in self.locations]
            )
            converse(redis, self.url, 2 * PARTITIONS, self.locations)

    def round(self) -> None:
        """Measure once."""
        with connect(self.url) as redis:
            before, began = self.cpu(), time.perf_counter()
            converse(redis, self.url, CONVERSATIONS, self.locations)
            self.replies.append(CONVERSATIONS / (time.perf_counter() - began))
            self.cpu_ms.append((self.cpu() - before) / CONVERSATIONS * 1000)
        self.accepts.append(asyncio.run(self._accepts()))

    async def _accepts(self) -> float:
        """Messages accepted a second."""
        inbox = Inbox(connect_async(self.url), retention_ms=RETENTION_MS, seconds=10.0)
        began = time.perf_counter()
        done = 0

        async def caller(number: int) -> None:
            nonlocal done
            while time.perf_counter() < began + ACCEPTS_SECONDS:
                await inbox.accept(message_to(self.locations[(number + done) % len(self.locations)]))
                done += 1

        await asyncio.gather(*map(caller, range(CALLERS)))
        seconds = time.perf_counter() - began
        await inbox.close()
        return done / seconds

    def cpu(self) -> float:
        """Of all servers (s)."""
        used = 0.0
        for url in self.servers:
            with connect(url) as redis:
                used += cpu_seconds(redis)
        return used

    def row(self) -> tuple[str, ...]:
        """The middle of all rounds."""
        used = str(len(self.locations))
        return (self.name, used, f"{median(self.cpu_ms):.2f}", f"{median(self.replies):,.0f}", f"{median(self.accepts):,.0f}")


def main() -> None:
    """Print the table."""
    locations = _locations()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        sides = []
        for used in PARTITIONS_USED:
            url = stack.enter_context(redis_server.running(Path(folder) / f"server-{used}"))
            sides.append(Side("one server", url, (url,), locations[:: PARTITIONS // used]))
        for primaries in PRIMARIES:
            nodes = stack.enter_context(cluster.running(Path(folder) / f"cluster-{primaries}", primaries=primaries, replicas=0))
            urls = tuple(node.url for node in nodes.nodes)
            sides.append(Side(f"a cluster of {primaries}", nodes.url, urls, locations))
        for side in sides:
            side.prepare()
        for _ in range(ROUNDS):
            for side in sides:
                side.round()
        heads = (
            "state in",
            "partitions used",
            "CPU a reply (ms)",
            "replies a second, one caller",
            "accepts a second, 64 callers",
        )
        print(table(heads, [side.row() for side in sides]))


if __name__ == "__main__":
    main()
