"""A lean sender of webhooks: some keep-alive connections, prepared requests, and as little reading as possible."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from infra.bench.webhooks import Webhook

END = b"\r\n\r\n"
TICK = 0.001


@dataclass(slots=True)
class Answered:
    """The answers: seconds of each, statuses, and when each contact's webhook was due to be sent.

    Webhooks that were due before `counts_from` aren't counted.
    """

    counts_from: float = 0.0
    began: float = field(default_factory=time.perf_counter)
    ended: float = 0.0
    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    sent_at: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / (self.ended - self.began)

    def percentile(self, percent: float) -> float:
        """The time (s) within which this percentage of the answers arrived."""
        return percentile(self.seconds, percent)

    def note(self, status: int, began: float) -> None:
        """Record one answer."""
        if began < self.counts_from:
            return
        self.ended = time.perf_counter()
        self.seconds.append(self.ended - began)
        self.statuses[status] += 1


def percentile(values: Iterable[float], percent: float) -> float:
    """The value that this percentage does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


async def flood(port: int, webhooks: Iterable[Webhook], *, connections: int, seconds: float = 3600.0) -> Answered:
    """Send as fast as answers arrive, on each connection one after the other, until the time is over or nothing is left."""
    answered, left, end = Answered(), iter(webhooks), time.perf_counter() + seconds
    finished = asyncio.Event()
    idle = 0

    def next_one(connection: _Connection) -> None:
        nonlocal idle
        webhook = next(left, None) if time.perf_counter() < end else None
        if webhook:
            connection.send(webhook, time.perf_counter())
            return
        idle += 1
        if idle == connections:
            finished.set()

    opened = await _open(port, connections, answered, next_one)
    with _without_collections():
        answered.began = time.perf_counter()
        for connection in opened:
            next_one(connection)
        await finished.wait()
    _close(opened)
    return answered


async def at_rate(
    port: int, webhooks: Iterable[Webhook], *, rate: float, connections: int, settle_seconds: float = 0.0
) -> Answered:
    """Send at a rate per second, whatever the answers; an answer's time begins when its webhook was due.

    Those of the first `settle_seconds` aren't counted: new connections and cold caches.
    """
    answered = Answered()
    free: deque[_Connection] = deque()
    opened = await _open(port, connections, answered, free.append)
    free.extend(opened)
    with _without_collections():
        answered.began = time.perf_counter()
        answered.counts_from = answered.began + settle_seconds
        for number, webhook in enumerate(webhooks):
            due = answered.began + number / rate
            while (wait := due - time.perf_counter()) > 0 or not free:
                await asyncio.sleep(max(wait, TICK) if wait > TICK else TICK)
            free.popleft().send(webhook, due)
        while len(free) < connections:
            await asyncio.sleep(TICK)
    _close(opened)
    return answered


@contextmanager
def _without_collections() -> Iterator[None]:
    """Disable garbage collection meanwhile: one collection of the sender took 40 ms, which would count as the receiver's."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _Connection(asyncio.Protocol):
    """A connection with one request at a time."""

    def __init__(self, answered: Answered, free: Callable[[_Connection], None]) -> None:
        self._answered = answered
        self._free = free
        self._began = 0.0
        self._read = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment] # a TCP transport is one

    def send(self, webhook: Webhook, began: float) -> None:
        """Send a request whose time began then."""
        self._began = began
        self._answered.sent_at[webhook.contact_id] = began
        if self.transport is None:
            raise RuntimeError("the receiver has closed a connection")
        self.transport.write(webhook.request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        end = self._read.find(END)
        if end < 0 or len(self._read) < end + len(END) + _length(self._read[:end]):
            return
        self._answered.note(int(self._read[9:12]), self._began)
        self._read = b""
        self._free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.transport = None


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


async def _open(port: int, connections: int, answered: Answered, free: Callable[[_Connection], None]) -> list[_Connection]:
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(lambda: _Connection(answered, free), "127.0.0.1", port) for _ in range(connections)]
    return [connection for _, connection in opened]


def _close(opened: Iterable[_Connection]) -> None:
    for connection in opened:
        if connection.transport:
            connection.transport.close()
