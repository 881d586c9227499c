"""The page of live events, and the stream that makes open pages reload their content."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.responses import Response, StreamingResponse

from bridge.errors import Unavailable
from bridge.operating import events
from bridge.receiver.console.locations import names_and_zones
from bridge.receiver.console.pages import Page
from bridge.store.redis.waiting import waiting_at_most

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from bridge.operating.services import AdminServices
    from bridge.receiver.console.pages import Visit
    from bridge.receiver.console.requests import Endpoint, PageEndpoints
    from bridge.receiver.stopping import Stopping

SHOWN = 25
STEPS = (
    "accepted", "asking", "answered", "sending", "sent", "replied", "no_reply", "delivered_by_provider", "skipped", "retrying",
    "not_sent", "dead", "replayed", "dropped", "superseded",
)  # fmt: skip
EVERY_SECONDS = 1.0
# With a look every second, a page knows after three seconds that Redis does not answer.
LOOK_SECONDS = 2.0
# A stream ends after this time and the browser reconnects, so no proxy cuts the stream.
LASTS_SECONDS = 10.0
AGAIN_MS = 500


def show(visit: Visit) -> Page:
    """The newest events, optionally of one location or step."""
    step, location = visit.asked("step"), visit.asked("location")
    newest = visit.perform(events.events, events.EventsQuery(limit=500)).events
    chosen = [each for each in newest if step in {"", each.step} and location in {"", each.location_id}][:SHOWN]
    known = names_and_zones(visit)
    zones = sorted({known["zones"].get(each.location_id, "UTC") for each in chosen})
    shown = {"events": chosen, "shown_zones": zones, "steps": STEPS, "step": step, "location": location, **known}
    return Page("live.html", "live", shown)


def stream(endpoints: PageEndpoints, admin_services: AdminServices, stopping: Stopping) -> Endpoint:
    """Server-sent events: `here` when Redis has answered, `happened` when there are new events, `lost` when it does not."""

    async def take(request: Request) -> Response:
        if await endpoints.session(request) is None:
            return Response(status_code=401)
        seen = request.headers.get("last-event-id", "")
        event = _tell(admin_services, stopping, seen)
        return StreamingResponse(event, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return take


async def _tell(admin_services: AdminServices, stopping: Stopping, seen: str) -> AsyncIterator[str]:
    yield f"retry: {AGAIN_MS}\n\n"
    until, here = time.monotonic() + LASTS_SECONDS, "event: here\ndata:\n\n"
    while time.monotonic() < until:
        try:
            with waiting_at_most(LOOK_SECONDS):
                last = await to_thread.run_sync(admin_services.live.last)
        except Unavailable:
            yield "event: lost\ndata:\n\n"
            return
        if here:
            yield here
            here = ""
        # The mark contains a contact's id, of any location.
        last = sha256(last.encode()).hexdigest()[:16]
        if last != seen:
            yield f"id: {last}\nevent: happened\ndata: {last}\n\n"
            seen = last
        if await stopping.within(EVERY_SECONDS):
            return
