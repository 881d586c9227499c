"""Webhooks reach their endpoint without Starlette's middleware and routes, which would take a tenth of the receiver's time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from bridge.receiver.webhooks import Endpoint


class DirectRoutes(Starlette):
    """An app that serves POST of each path in `direct` by itself, and everything else as Starlette does.

    These endpoints turn every error into a response. Each has a route as well, for other methods and other forms of its path.
    """

    def __init__(self, *, direct: Mapping[str, Endpoint], **options: Any) -> None:
        super().__init__(**options)
        self._direct = direct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        endpoint = self._direct.get(scope["path"]) if scope.get("method") == "POST" else None
        if endpoint is None:
            await super().__call__(scope, receive, send)
            return
        response = await endpoint(Request(scope, receive, send))
        await response(scope, receive, send)
