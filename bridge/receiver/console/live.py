"""The page of live events, and the stream that makes open pages reload their content."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.responses import Response, StreamingResponse

from bridge.errors import Unavailable
from bridge.operating import events
from bridge.receiver.console.locations import names
from bridge.receiver.console.pages import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from bridge.operating.services import AdminServices
    from bridge.receiver.console.pages import Visit
    from bridge.receiver.console.requests import Endpoint, PageEndpoints

SHOWN = 60
STEPS = (
    "accepted", "asking", "answered", "sending", "sent", "replied", "no_reply", "delivered_by_provider", "skipped", "retrying",
    "not_sent", "dead", "replayed", "dropped", "superseded",
)  # fmt: skip
EVERY_SECONDS = 1.0
# A stream ends after this time and the browser reconnects, so a stopping receiver need not wait, and no proxy cuts the stream.
LASTS_SECONDS = 10.0
AGAIN_MS = 500


def show(visit: Visit) -> Page:
    """The newest events, optionally of one location or step."""
    step, location = visit.asked("step"), visit.asked("location")
    newest = visit.perform(events.events, events.EventsQuery(limit=500)).events
    chosen = [each for each in newest if step in {"", each.step} and location in {"", each.location_id}][:SHOWN]
    return Page(
        "live.html", "live", {"events": chosen, "steps": STEPS, "step": step, "location": location, "names": names(visit)}
    )


def stream(endpoints: PageEndpoints, admin_services: AdminServices) -> Endpoint:
    """Server-sent events without data: one whenever there are new events."""

    async def take(request: Request) -> Response:
        if await endpoints.session(request) is None:
            return Response(status_code=401)
        seen = request.headers.get("last-event-id", "")
        return StreamingResponse(_tell(admin_services, seen), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return take


async def _tell(admin_services: AdminServices, seen: str) -> AsyncIterator[str]:
    yield f"retry: {AGAIN_MS}\n\n"
    until = time.monotonic() + LASTS_SECONDS
    while time.monotonic() < until:
        try:
            last = await to_thread.run_sync(admin_services.live.last)
        except Unavailable:
            return
        if last != seen:
            yield f"id: {last}\nevent: happened\ndata: {last}\n\n"
            seen = last
        await asyncio.sleep(EVERY_SECONDS)
