"""Who is looking on: everything that happens, as it happens, for the sandbox page."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

_WAITING = 1000


class Hub:
    """Hands each event to all listeners; one that doesn't keep up misses some."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[bytes]] = set()

    def publish(self, kind: str, event: dict[str, Any]) -> None:
        """Tell everyone who listens."""
        if not self._listeners:
            return
        line = b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(event) + b"\n\n"
        for listener in self._listeners:
            if not listener.full():
                listener.put_nowait(line)

    def join(self) -> asyncio.Queue[bytes]:
        """Begin to listen."""
        listener: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        self._listeners.add(listener)
        return listener

    def dismiss(self, listener: asyncio.Queue[bytes]) -> None:
        """Tell a listener, by an empty line, that there is nothing more to come."""
        if listener.full():
            listener.get_nowait()
        listener.put_nowait(b"")

    def close(self) -> None:
        """Dismiss all listeners."""
        for listener in self._listeners:
            self.dismiss(listener)

    def leave(self, listener: asyncio.Queue[bytes]) -> None:
        """Stop listening."""
        self._listeners.discard(listener)
