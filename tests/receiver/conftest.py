"""The receiver as an ASGI application with a real Redis, and a key of the tests in the place of GHL's."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.locations_file import read
from bridge.receiver.app import build
from bridge.settings import Settings, from_environment
from bridge.wiring import build_locations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis import Redis
    from starlette.applications import Starlette

KEY = Ed25519PrivateKey.generate()
PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def settings_for(redis_url: str, **more: str) -> Settings:
    """Settings of a receiver with that Redis."""
    secret = Fernet.generate_key().decode()
    return from_environment({"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": secret, "GHL_WEBHOOK_KEYS": PEM, **more})


@dataclass(frozen=True, slots=True)
class Receiver:
    """A client of the application."""

    app: Starlette
    settings: Settings

    async def call(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> httpx.Response:
        """Send one request."""
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bridge") as client:
            return await client.request(method, path, content=body, headers=headers)

    async def take(self, body: bytes) -> httpx.Response:
        """Send a webhook signed like GHL's."""
        return await self.call("POST", "/webhooks/ghl", body, {"X-GHL-Signature": base64.b64encode(KEY.sign(body)).decode()})

    def knows(self, redis: Redis, *location_ids: str) -> None:
        """Apply locations."""
        text = "\n".join(f"[locations.{id_}]\ndebounce_seconds = 0" for id_ in location_ids)
        build_locations(self.settings, redis).apply(read(text, {}))


@pytest.fixture
async def receiver(redis_url: str, redis: Redis) -> AsyncIterator[Receiver]:
    """A receiver with an empty Redis."""
    del redis
    settings = settings_for(redis_url)
    app = build(settings)
    async with app.router.lifespan_context(app):
        yield Receiver(app, settings)


@pytest.fixture
async def stranded() -> AsyncIterator[Receiver]:
    """A receiver whose Redis can't be reached; its password must not be shown."""
    settings = settings_for("redis://:hidden@127.0.0.1:1/0")
    app = build(settings)
    async with app.router.lifespan_context(app):
        yield Receiver(app, settings)
