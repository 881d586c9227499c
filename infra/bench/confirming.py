"""The cost of confirmed writes: `python -m infra.bench.confirming`.

A primary and a replica of its own, both with appendfsync always; messages are accepted through the receiver's own inbox, with
BRIDGE_CONFIRM_REPLICAS at 0 and at 1 in turn, so that other work on the machine meets both.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from uuid import uuid4

from bridge.cli import redis_server
from bridge.locations import Location
from bridge.model import Channel, ContactId, ConversationId, InboundMessage, LocationId, MessageId
from bridge.store.lanes.inbox import Inbox
from bridge.store.locations.records import Locations
from bridge.store.redis.confirmations import Confirmation
from bridge.store.redis.connection import connect, connect_async
from infra.bench.report import table

ROUNDS = 5
ROUND_SECONDS = 3.0
CALLERS = (1, 64)
RETENTION_MS = 3_600_000
HERE = LocationId("here")
FERNET_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        urls = [stack.enter_context(redis_server.running(Path(folder) / name)) for name in ("primary", "replica")]
        _follow(urls[1], urls[0])
        rows = []
        for callers in CALLERS:
            seen: dict[int, list[tuple[float, list[float]]]] = {0: [], 1: []}
            for _ in range(ROUNDS):
                for replicas, rounds in seen.items():
                    rounds.append(asyncio.run(_round(urls[0], replicas, callers)))
            rows += [_row(callers, replicas, rounds) for replicas, rounds in seen.items()]
    print(table(("callers at once", "BRIDGE_CONFIRM_REPLICAS", "accepted a second", "p50 (ms)", "p99 (ms)"), rows))


def _follow(url: str, primary: str) -> None:
    with connect(url) as redis, connect(primary) as leader:
        known = leader.connection_pool.connection_kwargs
        redis.config_set("masterauth", known["password"])
        redis.replicaof("127.0.0.1", known["port"])
        Locations(leader, fernet_keys=[FERNET_KEY], retention_ms=RETENTION_MS).apply([Location(id=HERE)])
        if leader.wait(1, 20_000) < 1:
            raise SystemExit("the replica did not follow")


async def _round(url: str, replicas: int, callers: int) -> tuple[float, list[float]]:
    """Accepted messages per second, and the time of each (ms)."""
    inbox = Inbox(connect_async(url), retention_ms=RETENTION_MS, confirmation=Confirmation(replicas))
    took: list[float] = []
    began = time.perf_counter()
    end = began + ROUND_SECONDS

    async def caller() -> None:
        while (before := time.perf_counter()) < end:
            await inbox.accept(_message())
            took.append((time.perf_counter() - before) * 1000)

    await asyncio.gather(*(caller() for _ in range(callers)))
    seconds = time.perf_counter() - began
    await inbox.close()
    return len(took) / seconds, took


def _message() -> InboundMessage:
    id_ = uuid4().hex
    return InboundMessage(
        id=MessageId(id_),
        location_id=HERE,
        contact_id=ContactId(f"contact-{id_}"),
        conversation_id=ConversationId(f"conversation-{id_}"),
        channel=Channel.SMS,
        message_type="SMS",
        message_type_string="TYPE_SMS",
        text="Is the table by the window still free on Friday?",
        date_added_ms=round(time.time() * 1000),
    )


def _row(callers: int, replicas: int, rounds: list[tuple[float, list[float]]]) -> tuple[str, ...]:
    took = sorted(one for _, each in rounds for one in each)
    p99 = quantiles(took, n=100)[98]
    return (str(callers), str(replicas), f"{median(rate for rate, _ in rounds):,.0f}", f"{median(took):.1f}", f"{p99:.1f}")


if __name__ == "__main__":
    main()
