"""Responses to webhooks: one JSON object, and a status that makes GHL do the right thing."""

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
    """An answer in the middle of a body: told at once, then the connection is closed.

    A little of what is still on its way is read first. Closing over unread bytes resets the connection, and a sender who
    reads only when all is sent would see the reset and not the answer.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, linger, close."""
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
    """An answer as HTTP. A skipped message is `ignored` to its sender: there is nothing to send again."""
    fields = {
        "status": "ignored" if answer.status == "skipped" else answer.status,
        "reason": answer.reason,
        "message_id": answer.message_id,
        "conversation_id": answer.conversation_id,
    }
    return _json({name: value for name, value in fields.items() if value}, STATUS[answer.status])


def refuse(error: Rejected) -> Response:
    """A refusal; no detail is given away."""
    return _json({"status": error.code}, error.status, unread=isinstance(error, TooLarge))


def not_now(*, unread: bool = False) -> Response:
    """429, the one status that every published retry policy of GHL retries. `unread`: the body has not come whole."""
    return _json({"status": "unavailable"}, 429, {"Retry-After": str(RETRY_AFTER_SECONDS)}, unread=unread)


def _json(document: dict[str, str], status: int, headers: dict[str, str] | None = None, *, unread: bool = False) -> Response:
    kind = ClosingResponse if unread else Response
    return kind(orjson.dumps(document), status, headers, media_type="application/json")
