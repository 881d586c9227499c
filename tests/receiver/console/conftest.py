"""The console as a browser without JavaScript shows it, with a real Redis."""

from __future__ import annotations

import html
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from bridge.receiver.app import build
from bridge.settings import from_environment
from tests.receiver.conftest import PEM
from tests.served import ADMIN_TOKEN
from tests.stored import FERNET_KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis import Redis

WORDS = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Browser:
    """Requests pages and submits forms."""

    http: httpx.AsyncClient

    async def see(self, path: str, **headers: str) -> httpx.Response:
        """Request a page and follow redirects."""
        return await self.http.get(f"/console{path}", headers=headers, follow_redirects=True)

    async def log_in(self, token: str = ADMIN_TOKEN) -> httpx.Response:
        """Log in with the form."""
        return await self.http.post("/console/login", data={"token": token})

    async def csrf(self) -> str:
        """The CSRF token in this login's pages."""
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.see("/")).text)
        assert found
        return found[1]

    async def submit(self, path: str, **fields: str | list[str]) -> httpx.Response:
        """Submit a page's form, and follow redirects."""
        data = {"csrf": await self.csrf(), **fields}
        return await self.http.post(f"/console{path}", data=data, follow_redirects=True)


def words(answer: httpx.Response) -> str:
    """The text of a page, without its markup."""
    return " ".join(html.unescape(WORDS.sub(" ", answer.text)).split())


@asynccontextmanager
async def opened(redis_url: str, *, address: str = "http://bridge", **environ: str) -> AsyncIterator[Browser]:
    """A browser at a receiver with an admin token; `environ` has priority over the usual settings, empty means unset."""
    usual = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, "BRIDGE_ADMIN_TOKEN": ADMIN_TOKEN, "GHL_WEBHOOK_KEYS": PEM}
    app = build(from_environment({**usual, **environ}))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=address)
    async with app.router.lifespan_context(app), client:
        yield Browser(client)


@pytest.fixture
async def stranger(redis_url: str, redis: Redis) -> AsyncIterator[Browser]:
    """A browser without a login."""
    del redis
    async with opened(redis_url) as browser:
        yield browser


@pytest.fixture
async def operator(stranger: Browser) -> Browser:
    """A browser with a login."""
    assert (await stranger.log_in()).status_code == 303
    return stranger
