"""Health and readiness: whether the process is alive, and whether it can accept webhooks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from starlette.responses import JSONResponse

from bridge.errors import Unavailable
from bridge.operating.diagnosis import diagnose
from bridge.store.operators.symptoms import look

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from bridge.store.operators.symptoms import Symptoms
    from bridge.store.redis.connection import Redis


async def alive(request: Request) -> Response:
    """`GET /healthz`: the process is alive."""
    del request
    return JSONResponse({"status": "ok"})


def ready(redis: Redis, *, replicas: int = 0) -> Callable[[Request], Awaitable[Response]]:
    """`GET /readyz`: 200 if Redis and `replicas` accept writes and there is a location, else 503; with durability, workers ...

    With a cluster, 200 and `why` if only some of its nodes do.
    """

    async def answer(request: Request) -> Response:
        del request
        try:
            symptoms = await to_thread.run_sync(partial(look, redis, replicas=replicas))
        except Unavailable as error:
            return JSONResponse({"status": "unavailable", "why": str(error)}, 503)
        if why := symptoms.tried.why_not:
            return JSONResponse({"status": "unavailable", "why": why, **_fields(symptoms)}, 503)
        if why := "; ".join(symptoms.tried.partly):
            # With 503 a proxy would keep the other nodes' webhooks away too.
            return JSONResponse({"status": "degraded", "why": why, **_fields(symptoms)})
        return JSONResponse({"status": "ok", **_fields(symptoms)})

    return answer


def _fields(symptoms: Symptoms) -> dict[str, Any]:
    """The public fields; problems only by name, because their sentences contain location ids."""
    missing = symptoms.missing_durability
    return {
        "workers": symptoms.gauges.workers,
        "waiting_lanes": symptoms.gauges.lanes,
        "oldest_overdue_seconds": symptoms.gauges.oldest_overdue_seconds,
        "durability": {"complete": not missing, "missing": missing},
        "troubles": list(dict.fromkeys(trouble.name for trouble in diagnose(symptoms))),
    }
