"""A deadline over a whole request of the console or the admin API: a Redis that is stuck is an answer within seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.redis.waiting import waiting_at_most

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# Of a Redis that answers nothing; what is only to be read, and is slow, counts in all.
SECONDS = 2.5
READ = frozenset({"GET", "HEAD"})


class BoundedWaits:
    """Lets what works on a request wait so long for Redis. A change that is under way may take longer if Redis answers."""

    def __init__(self, app: ASGIApp, *, whole: bool) -> None:
        self._app = app
        self._whole = whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        in_all = SECONDS if self._whole and scope.get("method") in READ else None
        with waiting_at_most(SECONDS, whole=in_all):
            await self._app(scope, receive, send)
