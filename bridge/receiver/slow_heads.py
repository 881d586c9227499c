"""Closes connections without complete request headers after ten seconds, and the oldest earlier if there are too many.

Uvicorn waits for headers without a limit, and each such connection uses a file descriptor that webhooks need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from bridge.process import descriptors
from bridge.receiver.joined_writes import JoinedWrites

if TYPE_CHECKING:
    import asyncio

HEAD_SECONDS = 10.0
# A quarter of the descriptors; the rest is for active requests and for Redis.
SHARE = 4
MOST_BACKLOG = 2048


def backlog() -> int:
    """The listen backlog: these connections are accepted together and must not use up the descriptors."""
    return min(MOST_BACKLOG, descriptors() // SHARE)


class BoundedHeads(AutoHTTPProtocol):  # type: ignore[misc, valid-type] # uvicorn chooses the class while it is imported
    """Uvicorn's protocol with a time limit for request headers."""

    # The connections of this process, oldest first; a web process has one event loop.
    unfinished: ClassVar[dict[BoundedHeads, asyncio.TimerHandle]] = {}

    def connection_made(self, transport: Any) -> None:
        """Start the time limit."""
        super().connection_made(JoinedWrites(transport, self.loop))
        self._wait()
        if len(self.unfinished) > max(1, descriptors() // SHARE):
            next(iter(self.unfinished)).give_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the time limit."""
        self._done()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Cancel the time limit when uvicorn's request cycle shows that the headers are complete."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._wait()
        else:
            self._done()

    def give_up(self) -> None:
        """Close a connection without complete headers."""
        self._done()
        self.transport.abort()

    def _wait(self) -> None:
        if self not in self.unfinished and not self.transport.is_closing():
            self.unfinished[self] = self.loop.call_later(HEAD_SECONDS, self.give_up)

    def _done(self) -> None:
        if waiting := self.unfinished.pop(self, None):
            waiting.cancel()
