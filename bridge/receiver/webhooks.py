"""The webhook doors: read no more than is allowed, hand the bytes to the flow, tell the sender."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from starlette.requests import ClientDisconnect

from bridge import flow
from bridge.errors import Rejected, TooLarge, Unavailable
from bridge.receiver.answers import not_now, refuse, tell

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from bridge.flow import Door

log = structlog.get_logger()

MOST_BYTES = 1024 * 1024
BODY_SECONDS = 10.0


def marketplace(door: Door) -> Callable[[Request], Awaitable[Response]]:
    """The door for GHL's signed marketplace events."""

    async def take(request: Request) -> Response:
        try:
            body = await _read(request)
            answer = await flow.accept(body, request.headers, door)
        except Rejected as error:
            log.warning("webhook.refused", code=error.code, why=str(error))
            return refuse(error)
        except (Unavailable, ClientDisconnect, TimeoutError) as error:
            log.warning("webhook.unavailable", why=str(error) or type(error).__name__)
            return not_now(unread=not isinstance(error, Unavailable))
        except Exception as error:
            log.exception("webhook.failed", error=type(error).__name__)
            return not_now()
        log.info(
            "webhook",
            status=answer.status,
            reason=answer.reason,
            message_id=answer.message_id,
            conversation_id=answer.conversation_id,
        )
        return tell(answer)

    return take


async def _read(request: Request) -> bytes:
    """The raw body. Raises TooLarge as soon as it is known to be, TimeoutError when it only trickles in."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MOST_BYTES:
        raise TooLarge(f"a body of {declared} bytes was announced")
    body = bytearray()
    async with asyncio.timeout(BODY_SECONDS):
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise TooLarge("a body went over the limit while it was read")
    return bytes(body)
