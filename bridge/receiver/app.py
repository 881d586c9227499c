"""The Starlette app and its routes."""

from __future__ import annotations

import gc
import os
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Route

from bridge import logs
from bridge.metrics import Tally
from bridge.operating.alerting import alerting
from bridge.operating.key_presence import present
from bridge.operating.reporting import reporting as daily_reporting
from bridge.operating.services import AdminServices
from bridge.process import prepare
from bridge.receiver import health, metrics, oauth, webhooks
from bridge.receiver.api import app as api
from bridge.receiver.api.answers import refuse_http
from bridge.receiver.console import app as console
from bridge.receiver.console import public
from bridge.receiver.count_flush import reporting
from bridge.receiver.direct_routes import DirectRoutes
from bridge.receiver.heartbeat import beating
from bridge.receiver.peers import Peers
from bridge.receiver.slashes import WebhookSlashes
from bridge.receiver.stopping import Stopping
from bridge.receiver.webhook_pacing import Pacing
from bridge.settings import from_environment
from bridge.store.figures.counts import Counts
from bridge.store.locations.sweeps import Sweeps
from bridge.wiring import build_accept_services, build_installing, build_redis_for_health

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.applications import Starlette
    from starlette.types import ASGIApp

    from bridge.settings import Settings


# How many new objects start a garbage collection; the default of 700 is a few webhooks, which create hardly any cycles.
COLLECT_AFTER = 10_000
EVENTS = "/webhooks/ghl"


def from_process_environment() -> ASGIApp:
    """Build the app for this web process. Raises Misconfigured."""
    settings = from_environment(os.environ)
    logs.configure(settings.log_format, settings.log_level)
    prepare()
    app = build(settings)
    # Objects from the start are excluded from collection: searching them took about 60 ms each time, without any answer.
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    return Peers(app, forwarded_allow_ips=os.environ.get("FORWARDED_ALLOW_IPS") or "127.0.0.1")


def build(settings: Settings) -> Starlette:
    """Build the app for these settings. Raises Misconfigured."""
    redis = build_redis_for_health(settings)
    admin_services = AdminServices(settings)
    installing = cache(partial(build_installing, settings, redis))
    tally, counts, pacing, stopping = Tally(), Counts(redis), Pacing(), Stopping()
    accept_services = build_accept_services(settings, redis, tally)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        try:
            with stopping.listening(), alerting(settings), present(settings, redis), daily_reporting(settings):
                async with beating(Sweeps(redis)), reporting(tally, counts):
                    yield
        finally:
            await accept_services.inbox.close()
            redis.close()
            admin_services.close()

    events = webhooks.marketplace(accept_services, tally, pacing)
    routes = [
        Route(EVENTS, events, methods=["POST"]),
        Route("/oauth/install", oauth.install(installing), methods=["GET"]),
        Route("/oauth/callback", oauth.callback(installing), methods=["GET"]),
        Route("/webhooks/workflow", webhooks.workflow(accept_services, tally, pacing), methods=["POST"]),
        Route("/webhooks/workflow/{secret:path}", webhooks.workflow(accept_services, tally, pacing), methods=["POST"]),
        Route("/healthz", health.alive, methods=["GET"]),
        Route("/readyz", health.ready(redis, replicas=settings.confirm_replicas), methods=["GET"]),
        Route("/metrics", metrics.serve(redis, counts, by_location=settings.metrics_locations), methods=["GET"]),
        Route("/", public.front(is_open=settings.admin_token is not None)),
        Route("/api/docs", public.api_docs()),
        Mount("/api/v1", api.build(admin_services)),
        Mount("/console", console.build(admin_services, stopping)),
    ]
    # A mount matches no path with a line break in it.
    return DirectRoutes(
        direct={EVENTS: events},
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(WebhookSlashes)],
        exception_handlers={HTTPException: refuse_http},
    )
