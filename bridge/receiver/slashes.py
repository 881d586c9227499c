"""Webhook addresses with an extra slash are the same route, because GHL does not follow redirects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_WEBHOOK = re.compile(r"/+webhooks/+(ghl|workflow)(/.*)?", re.DOTALL)


class WebhookSlashes:
    """Serves `/webhooks/ghl/` and `//webhooks/ghl` as `/webhooks/ghl`. A secret after `workflow` is not changed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            scope = {**scope, "path": without_extra_slashes(scope["path"])}
        await self._app(scope, receive, send)


def without_extra_slashes(path: str) -> str:
    """The path of a webhook route without extra slashes; other paths unchanged."""
    match = _WEBHOOK.fullmatch(path)
    if match is None:
        return path
    route, rest = match[1], match[2] or ""
    return f"/webhooks/{route}{rest if rest.strip('/') else ''}"
