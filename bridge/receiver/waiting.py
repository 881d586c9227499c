"""A deadline for a whole request of the console or the admin API: if Redis doesn't answer, the request fails within seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.redis.waiting import waiting_at_most

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# Seconds without an answer from Redis; for requests that only read, seconds in total.
SECONDS = 2.5
READ = frozenset({"GET", "HEAD"})


class BoundedWaits:
    """Limits how long a request waits for Redis. A change in progress may take longer if Redis answers."""

    def __init__(self, app: ASGIApp, *, whole: bool) -> None:
        self._app = app
        self._whole = whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        in_all = SECONDS if self._whole and scope.get("method") in READ else None
        with waiting_at_most(SECONDS, whole=in_all):
            await self._app(scope, receive, send)
