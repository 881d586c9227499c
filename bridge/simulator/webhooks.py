"""Sends webhooks: signed, posted and, as in GHL, sent again until the answer is a 2xx."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.simulator.counts import RequestCounts
    from bridge.simulator.hub import Hub

# A client for each sender: one httpx client with many requests in progress spends most of its time searching its pool.
_SENDERS = 64
_SHOWN_BODY = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One webhook, ready to be posted any number of times with the same bytes."""

    url: str
    raw: bytes
    headers: Mapping[str, str]
    delays: tuple[float, ...]
    timeout: float
    kind: str = ""
    note: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Try:
    """The result of one attempt."""

    status_code: int | None
    body: Any
    error: str = ""

    @property
    def taken(self) -> bool:
        """True if the receiver accepted it."""
        return self.status_code is not None and httpx.codes.is_success(self.status_code)

    def shown(self) -> dict[str, Any]:
        """The attempt, for the control API."""
        return {"status_code": self.status_code, "body": self.body, "error": self.error}


class Webhooks:
    """Posts parcels and repeats them in the background."""

    def __init__(self, counts: RequestCounts, hub: Hub) -> None:
        self.counts = counts
        self.hub = hub
        self._tasks: set[asyncio.Task[Any]] = set()
        self._senders: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        # The number of resets: webhooks from before the last one are dropped.
        self._age = 0
        self._opened: list[httpx.AsyncClient] = []
        # All receivers use plain HTTP on this machine; loading the certificate store 64 times would take seconds.
        self._ssl = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    async def send(self, parcel: Parcel, *, copies: int = 1) -> list[Try]:
        """Post a parcel, all copies at the same time; returns the first answer to each. Refused ones are repeated later."""
        return list(await asyncio.gather(*(self._send_one(parcel) for _ in range(copies))))

    def send_later(self, parcel: Parcel, *, seconds: float) -> None:
        """Post a parcel in the background after some seconds."""
        self._spawn(self._after(parcel, seconds, self._age))

    def forget(self, counts: RequestCounts) -> None:
        """Drop all webhooks that wait, and start a new count.

        Requests in progress continue uncounted: if a request of httpx 0.28 is cancelled while it connects, its connection leaks,
        and its client never sends again.
        """
        self._age += 1
        self.counts = counts

    async def close(self) -> None:
        """Stop, and close all connections."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for sender in self._opened:
            await sender.aclose()

    async def _after(self, parcel: Parcel, seconds: float, age: int) -> None:
        await asyncio.sleep(seconds)
        if age == self._age:
            await self._send_one(parcel)

    async def _send_one(self, parcel: Parcel) -> Try:
        age = self._age
        outcome = await self._post(parcel)
        if age == self._age:
            self._report(parcel, outcome, number=1)
            if not outcome.taken and parcel.delays:
                self._spawn(self._repeat(parcel, age))
        return outcome

    async def _repeat(self, parcel: Parcel, age: int) -> None:
        for number, delay in enumerate(parcel.delays, start=2):
            await asyncio.sleep(delay)
            if age != self._age:
                return
            outcome = await self._post(parcel)
            if age == self._age:
                self._report(parcel, outcome, number=number)
            if outcome.taken:
                return

    async def _post(self, parcel: Parcel) -> Try:
        sender = await self._take_sender()
        try:
            answer = await sender.post(parcel.url, content=parcel.raw, headers=parcel.headers, timeout=parcel.timeout)
        except httpx.HTTPError as error:
            return Try(None, None, f"{type(error).__name__}: {error}")
        finally:
            self._senders.put_nowait(sender)
        return Try(answer.status_code, _body(answer))

    async def _take_sender(self) -> httpx.AsyncClient:
        if self._senders.empty() and len(self._opened) < _SENDERS:
            limits = httpx.Limits(max_connections=1, keepalive_expiry=2.0)
            sender = httpx.AsyncClient(verify=self._ssl, trust_env=False, limits=limits)
            self._opened.append(sender)
            return sender
        return await self._senders.get()

    def _report(self, parcel: Parcel, outcome: Try, *, number: int) -> None:
        self.counts.webhooks[str(outcome.status_code or "unreachable")] += 1
        last = outcome.taken or number > len(parcel.delays)
        trouble = {"kind": parcel.kind, "try": number, "last": last, **(parcel.note or {})}
        self.hub.publish("webhook", trouble | outcome.shown())

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _body(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text[:_SHOWN_BODY]
