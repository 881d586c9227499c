"""Connections whose request's head doesn't end: closed after ten seconds, and the oldest first when there are too many.

Uvicorn waits for a head without end, and each such connection holds a descriptor that webhooks need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from bridge.process import descriptors

if TYPE_CHECKING:
    import asyncio

HEAD_SECONDS = 10.0
# A quarter of the descriptors; the rest is for requests that are read, and for Redis.
SHARE = 4
MOST_BACKLOG = 2048


def backlog() -> int:
    """How many connections may wait to be taken: all of them are taken at once, and must not use up the descriptors."""
    return min(MOST_BACKLOG, descriptors() // SHARE)


class BoundedHeads(AutoHTTPProtocol):  # type: ignore[misc, valid-type] # uvicorn chooses the class while it is imported
    """Uvicorn's own protocol, with an end to waiting for a head."""

    # Of this process, oldest first: a web process has one event loop.
    unfinished: ClassVar[dict[BoundedHeads, asyncio.TimerHandle]] = {}

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._wait()
        if len(self.unfinished) > max(1, descriptors() // SHARE):
            next(iter(self.unfinished)).give_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits any more."""
        self._done()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Whether the head is read now, uvicorn's cycle of request and response shows."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._wait()
        else:
            self._done()

    def give_up(self) -> None:
        """Close a connection that has sent no whole head."""
        self._done()
        self.transport.abort()

    def _wait(self) -> None:
        if self not in self.unfinished and not self.transport.is_closing():
            self.unfinished[self] = self.loop.call_later(HEAD_SECONDS, self.give_up)

    def _done(self) -> None:
        if waiting := self.unfinished.pop(self, None):
            waiting.cancel()
