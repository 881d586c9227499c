"""Request bodies, with limits on size and time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bridge.errors import TooLarge

if TYPE_CHECKING:
    from starlette.requests import Request

BODY_SECONDS = 10.0


async def read(request: Request, *, most: int) -> bytes:
    """The raw body. Raises TooLarge as soon as it exceeds `most` bytes, TimeoutError if it arrives too slowly."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise TooLarge(f"the request announced a body of {declared} bytes")
    body = bytearray()
    async with asyncio.timeout(BODY_SECONDS):
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise TooLarge("the body exceeded the limit while it was read")
    return bytes(body)
