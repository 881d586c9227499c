"""The webhook endpoints: read the body within limits, pass the bytes to `flow`, answer the sender."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bridge import flow
from bridge.errors import Rejected, Unavailable
from bridge.metrics import WEBHOOK, WEBHOOKS
from bridge.model import WebhookAnswer
from bridge.receiver.answers import not_now, refuse, tell
from bridge.receiver.bodies import read

if TYPE_CHECKING:
    from bridge.flow import AcceptServices
    from bridge.metrics import Tally
    from bridge.receiver.webhook_pacing import Pacing

log = structlog.get_logger()

MOST_BYTES = 1024 * 1024
UNAVAILABLE = WebhookAnswer(status="unavailable")


Accept = Callable[[bytes, Request], Awaitable[WebhookAnswer]]
Endpoint = Callable[[Request], Awaitable[Response]]


def marketplace(services: AcceptServices, tally: Tally, pacing: Pacing) -> Endpoint:
    """The endpoint for GHL's signed marketplace events."""
    return _counted(lambda body, request: flow.accept(body, request.headers, services), tally, pacing)


def workflow(services: AcceptServices, tally: Tally, pacing: Pacing) -> Endpoint:
    """The endpoint for GHL's workflow webhooks, which contain a secret. No log line contains a path, which may be the secret."""

    def accept(body: bytes, request: Request) -> Awaitable[WebhookAnswer]:
        return flow.accept_workflow(body, request.headers, request.path_params.get("secret", ""), services)

    return _counted(accept, tally, pacing)


def _counted(accept: Accept, tally: Tally, pacing: Pacing) -> Endpoint:
    async def take(request: Request) -> Response:
        began = time.monotonic()
        await pacing.pass_through()
        answer, response = await _take(request, accept)
        tally.count(WEBHOOKS, "ignored" if answer.status == "skipped" else answer.status, answer.reason)
        if answer.status == "accepted":
            tally.time(WEBHOOK, seconds=time.monotonic() - began)
        return response

    return take


async def _take(request: Request, accept: Accept) -> tuple[WebhookAnswer, Response]:
    """Accept a webhook, and return the response for its sender. Every error becomes a response."""
    try:
        answer = await accept(await read(request, most=MOST_BYTES), request)
    except Rejected as error:
        log.warning("webhook.refused", code=error.code, why=str(error))
        return WebhookAnswer(status=error.code), refuse(error)
    except (Unavailable, ClientDisconnect, TimeoutError) as error:
        log.warning("webhook.unavailable", why=str(error) or type(error).__name__)
        return UNAVAILABLE, not_now(unread=not isinstance(error, Unavailable))
    except Exception as error:
        log.exception("webhook.failed", error=type(error).__name__)
        return UNAVAILABLE, not_now()
    log.info(
        "webhook",
        status=answer.status,
        reason=answer.reason,
        message_id=answer.message_id,
        conversation_id=answer.conversation_id,
    )
    return answer, tell(answer)
