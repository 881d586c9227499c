"""Publishes everything that happens, live, to the sandbox page."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

_WAITING = 1000


class Hub:
    """Passes each event to all listeners; a slow listener misses some."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[bytes]] = set()

    def publish(self, kind: str, event: dict[str, Any]) -> None:
        """Send an event to all listeners."""
        if not self._listeners:
            return
        line = b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(event) + b"\n\n"
        for listener in self._listeners:
            if not listener.full():
                listener.put_nowait(line)

    def join(self) -> asyncio.Queue[bytes]:
        """Add a listener."""
        listener: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        self._listeners.add(listener)
        return listener

    def dismiss(self, listener: asyncio.Queue[bytes]) -> None:
        """Send a listener an empty line, which means that no more events follow."""
        if listener.full():
            listener.get_nowait()
        listener.put_nowait(b"")

    def close(self) -> None:
        """Dismiss all listeners."""
        for listener in self._listeners:
            self.dismiss(listener)

    def leave(self, listener: asyncio.Queue[bytes]) -> None:
        """Remove a listener."""
        self._listeners.discard(listener)
