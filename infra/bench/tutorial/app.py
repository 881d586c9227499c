"""The receiver: reads the JSON, passes it to Celery, answers 200."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from infra.bench.tutorial.tasks import answer

if TYPE_CHECKING:
    from starlette.requests import Request


async def webhook(request: Request) -> JSONResponse:
    """Accept an event."""
    event = await request.json()
    if event.get("type") != "InboundMessage":
        return JSONResponse({"status": "ignored"})
    answer.delay(event)
    return JSONResponse({"status": "queued"})


app = Starlette(routes=[Route("/webhooks/ghl", webhook, methods=["POST"])])
