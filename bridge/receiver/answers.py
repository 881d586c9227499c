"""Responses to webhooks: a JSON object, with a status that makes GHL resend exactly the right webhooks."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response

from bridge.errors import TooLarge

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from bridge.errors import Rejected
    from bridge.model import WebhookAnswer

STATUS = {"accepted": 202, "duplicate": 200, "ignored": 200, "skipped": 200}
RETRY_AFTER_SECONDS = 10
LINGER_BYTES = 4 * 1024 * 1024
LINGER_SECONDS = 2.0


class ClosingResponse(Response):
    """A response before the request body has arrived: sent immediately, then the connection is closed.

    Before closing, a part of the remaining body is read. Closing with unread bytes resets the connection, and a sender that
    reads only after sending everything would see the reset instead of the response.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, read a part of the rest, close."""
        del scope
        headers = [*self.raw_headers, (b"connection", b"close")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await _linger(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _linger(receive: Receive) -> None:
    left = LINGER_BYTES
    while left > 0:
        message = await receive()
        if not message.get("more_body"):
            return
        left -= len(message["body"])


def tell(answer: WebhookAnswer) -> Response:
    """The HTTP response for an answer. A skipped message is `ignored` for its sender, who must not resend it."""
    fields = {
        "status": "ignored" if answer.status == "skipped" else answer.status,
        "reason": answer.reason,
        "message_id": answer.message_id,
        "conversation_id": answer.conversation_id,
    }
    return _json({name: value for name, value in fields.items() if value}, STATUS[answer.status])


def refuse(error: Rejected) -> Response:
    """The response for a refused webhook, without details."""
    return _json({"status": error.code}, error.status, unread=isinstance(error, TooLarge))


def not_now(*, unread: bool = False) -> Response:
    """429, the only status that every published retry policy of GHL retries. `unread`: the body is not complete."""
    return _json({"status": "unavailable"}, 429, {"Retry-After": str(RETRY_AFTER_SECONDS)}, unread=unread)


def _json(document: dict[str, str], status: int, headers: dict[str, str] | None = None, *, unread: bool = False) -> Response:
    kind = ClosingResponse if unread else Response
    return kind(orjson.dumps(document), status, headers, media_type="application/json")
