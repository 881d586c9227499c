"""Request bodies: never read more than is allowed, never wait longer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bridge.errors import TooLarge

if TYPE_CHECKING:
    from starlette.requests import Request

BODY_SECONDS = 10.0


async def read(request: Request, *, most: int) -> bytes:
    """The raw body. Raises TooLarge as soon as it is known to be, TimeoutError when it only trickles in."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise TooLarge(f"a body of {declared} bytes was announced")
    body = bytearray()
    async with asyncio.timeout(BODY_SECONDS):
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise TooLarge("a body went over the limit while it was read")
    return bytes(body)
