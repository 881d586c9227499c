"""`GET /_sim/events`: everything that happens, as server-sent events, for the sandbox page."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from bridge.simulator.hub import Hub

_ALIVE_SECONDS = 15.0
_ALIVE = b": alive\n\n"


class EventStream:
    """An ASGI endpoint that never ends by itself."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the client disconnects or the server stops."""
        del scope
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        listener = self.hub.join()
        watch = asyncio.create_task(_leave(self.hub, listener, receive))
        try:
            chunk = b": welcome\n\n"
            while chunk:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                chunk = await _next(listener)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            watch.cancel()
            self.hub.leave(listener)


async def _next(listener: asyncio.Queue[bytes]) -> bytes:
    try:
        return await asyncio.wait_for(listener.get(), _ALIVE_SECONDS)
    except TimeoutError:
        return _ALIVE


async def _leave(hub: Hub, listener: asyncio.Queue[bytes], receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    hub.dismiss(listener)
