"""The install pages: a person always reads a sentence that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bridge.receiver.app import build
from bridge.settings import from_environment
from bridge.wiring import build_grants
from tests.other_side import OtherSide, answering, http
from tests.receiver.conftest import PEM

if TYPE_CHECKING:
    from redis import Redis

    from bridge.settings import Settings

FERNET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OWN = {"access_token": "at-secret", "refresh_token": "rt-secret", "userType": "Location", "locationId": "here", "companyId": "c"}


def settings_for(redis_url: str, **environ: str) -> Settings:
    usual = {
        "REDIS_URL": redis_url,
        "BRIDGE_SECRET_KEY": FERNET,
        "GHL_WEBHOOK_KEYS": PEM,
        "GHL_CLIENT_ID": "app-1",
        "GHL_CLIENT_SECRET": "client-secret",
        "GHL_REDIRECT_URL": "https://bridge.example/oauth/callback",
    }
    return from_environment({**usual, **environ})


async def get(settings: Settings, path: str, cookies: httpx.Cookies | None = None) -> httpx.Response:
    """Send a browser's request, without following redirects."""
    transport = httpx.ASGITransport(app=build(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://bridge", cookies=cookies) as client:
        return await client.get(path)


async def test_an_install_goes_out_to_ghl_and_comes_back(redis_url: str, redis: Redis) -> None:
    """A redirect has a state; with it and a code the page says what comes next, and the tokens are stored."""
    with OtherSide(answering(http(200, OWN))) as ghl:
        settings = settings_for(redis_url, GHL_API_URL=ghl.url)
        away = await get(settings, "/oauth/install")
        query = parse_qs(urlsplit(away.headers["location"]).query)
        back = await get(settings, f"/oauth/callback?code=c0de&state={query['state'][0]}", away.cookies)

    assert away.status_code == 302
    assert away.headers["location"].startswith("https://marketplace.gohighlevel.com/v2/oauth/chooselocation?")
    assert (query["client_id"], query["redirect_uri"]) == (["app-1"], ["https://bridge.example/oauth/callback"])
    assert (back.status_code, "location here" in back.text, "locations template" in back.text) == (200, True, True)
    assert back.headers["referrer-policy"] == "no-referrer"
    assert [request.target for request in ghl.requests] == ["/oauth/token"]
    grant = build_grants(settings, redis).get("location:here")  # type: ignore[arg-type] # as the store names it
    assert grant
    assert grant.access_token == "at-secret"


async def test_an_install_ends_in_the_browser_in_which_it_began(redis_url: str, redis: Redis) -> None:
    """Somebody else's link with a valid code and state installs nothing, and no page may be in a foreign frame."""
    with OtherSide(answering(http(200, OWN))) as ghl:
        settings = settings_for(redis_url, GHL_API_URL=ghl.url)
        away = await get(settings, "/oauth/install")
        state = parse_qs(urlsplit(away.headers["location"]).query)["state"][0]
        victim = await get(settings, f"/oauth/callback?code=c0de&state={state}")

    assert (victim.status_code, "did not begin here" in victim.text) == (403, True)
    assert (ghl.requests, redis.keys("*}:grant*")) == ([], [])
    assert {"HttpOnly", "SameSite=lax", "Path=/oauth"} <= set(away.headers["set-cookie"].split("; "))
    for page in (away, victim):
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("path", "answer", "status", "word"),
    [
        ("/oauth/callback?code=c&state=wrong", http(200, OWN), 403, "did not begin here"),
        ("/oauth/callback?error=access_denied", http(200, OWN), 400, "sent no code"),
        ("/oauth/callback", http(200, OWN), 400, "Begin again at /oauth/install"),
        ("/oauth/callback?code=c", http(400, {"error": "invalid_grant"}), 400, "already used"),
        ("/oauth/callback?code=c", http(401, {"error_description": "Invalid client credentials!"}), 502, "GHL_CLIENT_SECRET"),
        ("/oauth/callback?code=c", http(500, {}), 502, "unexpected answer"),
        ("/oauth/callback?code=c", http(200, {}), 502, "can&#x27;t be read"),
    ],
)
async def test_what_goes_wrong_is_said_on_a_page(
    redis_url: str, redis: Redis, *, path: str, answer: bytes, status: int, word: str
) -> None:
    """Each error has its status and what to do, and nothing from the address."""
    with OtherSide(answering(answer)) as ghl:
        told = await get(settings_for(redis_url, GHL_API_URL=ghl.url), path)
    assert (told.status_code, told.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert word in told.text
    assert "secret" not in told.text.lower().replace("ghl_client_secret", "")
    assert redis.keys("*}:grant*") == []


@pytest.mark.parametrize("missing", ["GHL_CLIENT_ID", "GHL_CLIENT_SECRET", "GHL_REDIRECT_URL", "BRIDGE_SECRET_KEY"])
@pytest.mark.parametrize("path", ["/oauth/install", "/oauth/callback?code=c"])
async def test_without_an_app_it_is_said_what_to_set(redis_url: str, path: str, missing: str) -> None:
    """The status is 404, with the names of all required settings."""
    told = await get(settings_for(redis_url, **{missing: ""}), path)
    assert told.status_code == 404
    assert missing in told.text


async def test_without_redis_the_install_waits() -> None:
    """The status is 503, and the code is not sent to GHL."""
    with OtherSide(answering(http(200, OWN))) as ghl:
        told = await get(settings_for("redis://127.0.0.1:1/0", GHL_API_URL=ghl.url), "/oauth/callback?code=c")
    assert (told.status_code, "nothing was saved" in told.text, ghl.requests) == (503, True, [])
