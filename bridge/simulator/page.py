"""The sandbox page: five static files."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

_FILES = {
    "/": ("sandbox.html", "text/html"),
    "/_page/sandbox.css": ("sandbox.css", "text/css"),
    "/_page/phone.js": ("phone.js", "text/javascript"),
    "/_page/beside.js": ("beside.js", "text/javascript"),
    "/_page/sandbox.js": ("sandbox.js", "text/javascript"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def routes() -> list[Route]:
    """Build the routes."""
    return [Route(path, _serving(*file), methods=["GET"]) for path, file in _FILES.items()]


def _serving(name: str, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    content = resources.files(__package__).joinpath("page", name).read_bytes()

    async def endpoint(_request: Request) -> Response:
        return Response(content, media_type=media_type, headers=_HEADERS)

    return endpoint
