"""The least that a durable receiver does: bare Starlette, one signature, one script that stores a body unless it is known."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from redis.asyncio import BlockingConnectionPool, Redis
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

KEY = Ed25519PublicKey.from_public_bytes(bytes.fromhex(os.environ["BENCH_PUBLIC_KEY"]))
REDIS = Redis.from_pool(BlockingConnectionPool.from_url(os.environ["REDIS_URL"], max_connections=64))
ACCEPT = REDIS.register_script("""
if not redis.call('SET', KEYS[1], 1, 'NX', 'PX', 604800000) then return 0 end
redis.call('RPUSH', KEYS[2], ARGV[1])
return 1
""")


async def webhook(request: Request) -> JSONResponse:
    """Accept an event."""
    body = await request.body()
    try:
        KEY.verify(base64.b64decode(request.headers["x-ghl-signature"]), body)
    except InvalidSignature:
        return JSONResponse({"status": "unauthorized"}, 401)
    event = orjson.loads(body)
    taken = await ACCEPT(keys=[f"seen:{event['webhookId']}", f"waiting:{event['contactId']}"], args=[body])
    return JSONResponse({"status": "accepted" if taken else "duplicate"}, 202 if taken else 200)


app = Starlette(routes=[Route("/webhooks/ghl", webhook, methods=["POST"])])
