"""A receiver that verifies and calls `task.delay`, as most people would write it."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from infra.bench.tutorial.tasks import answer

if TYPE_CHECKING:
    from starlette.requests import Request

KEY = Ed25519PublicKey.from_public_bytes(bytes.fromhex(os.environ["BENCH_PUBLIC_KEY"]))


async def webhook(request: Request) -> JSONResponse:
    """Accept an event."""
    try:
        KEY.verify(base64.b64decode(request.headers["x-ghl-signature"]), await request.body())
    except InvalidSignature:
        return JSONResponse({"status": "unauthorized"}, 401)
    answer.delay(await request.json())
    return JSONResponse({"status": "accepted"}, 202)


app = Starlette(routes=[Route("/webhooks/ghl", webhook, methods=["POST"])])
