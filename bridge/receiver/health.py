"""Is the process alive, and can it accept."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.responses import JSONResponse

from bridge.errors import Unavailable
from bridge.store.health import check

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from bridge.store.connection import Redis


async def alive(request: Request) -> Response:
    """The process answers."""
    del request
    return JSONResponse({"status": "ok"})


def ready(redis: Redis) -> Callable[[Request], Awaitable[Response]]:
    """The state is reachable; and how durable it is, who works, how old the oldest overdue conversation is."""

    async def answer(request: Request) -> Response:
        del request
        try:
            health = await to_thread.run_sync(check, redis)
        except Unavailable as error:
            return JSONResponse({"status": "unavailable", "why": str(error)}, 503)
        missing = health.missing_durability
        fields = asdict(health)
        del fields["missing_durability"]
        return JSONResponse({"status": "ok", **fields, "durability": {"complete": not missing, "missing": missing}})

    return answer
