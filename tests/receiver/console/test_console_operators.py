"""Operators in the console: added, limited and removed on a page, and named by a proxy's header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest

from bridge.errors import Misconfigured
from bridge.model import Role
from bridge.receiver.app import build
from bridge.settings import from_environment
from bridge.store.operators.operators import Operators
from tests.receiver.console.conftest import opened, words
from tests.served import served
from tests.stored import keep

if TYPE_CHECKING:
    from redis import Redis

    from tests.receiver.console.conftest import Browser

HEADER = {"BRIDGE_LOGIN_HEADER": "X-Forwarded-User", "BRIDGE_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8"}
JANE = {"X-Forwarded-User": "jane@agency.example"}


def add(redis: Redis, name: str = "jane@agency.example", *locations: str, role: Role = Role.OPERATE) -> None:
    """An operator with this name."""
    Operators(redis).add(name, role, locations, f"token-{name}", lasts_ms=3_600_000)


async def test_an_operator_is_added_with_a_token_that_is_shown_once(operator: Browser, redis: Redis) -> None:
    """It logs in with the token, sees what it may, and is removed with one click."""
    keep(redis, "here", "there")
    page = await operator.submit("/operators", name="acme", role="read", location_ids=["here"])
    token = re.search(r'<code id="token">([^<]+)</code>', page.text)
    assert token
    assert token[1] not in (await operator.see("/operators")).text
    assert "acme read here" in words(await operator.see("/operators"))
    async with opened_again(operator) as client:
        assert (await client.post("/console/login", data={"token": token[1]})).status_code == 303
        listed = words(await client.get("/console/locations"))
        assert "here" in listed
        assert "there" not in listed
        assert "Pause" not in listed
        assert (await client.get("/console/")).headers["location"] == "/console/locations/here"
    assert "acme is removed" in words(await operator.submit("/operators/acme/remove"))


def opened_again(browser: Browser) -> httpx.AsyncClient:
    """Another browser at the same receiver."""
    return httpx.AsyncClient(transport=browser.http._transport, base_url="http://bridge")


@pytest.mark.parametrize(
    ("given", "says"),
    [({"name": "a b"}, "name"), ({"role": "owner"}, "role"), ({"location_ids": "nowhere"}, "location nowhere is not known")],
)
async def test_what_is_wrong_is_told_on_the_page(operator: Browser, redis: Redis, given: dict[str, str], says: str) -> None:
    """No operator is added then."""
    keep(redis)
    page = await operator.submit("/operators", **{"name": "jane", "role": "read", **given})
    assert page.status_code == 422
    assert re.search(rf'role="alert" id="wrong">.*{says}', page.text)
    assert Operators(redis).all() == ()


async def test_a_trusted_proxy_names_the_operator(redis_url: str, redis: Redis) -> None:
    """No token is needed; the role is the operator's, and forms work."""
    keep(redis)
    add(redis)
    async with opened(redis_url, **HEADER) as browser:
        browser.http.headers.update(JANE)
        page = await browser.see("/locations")
        assert "jane@agency.example" in words(page)
        assert "here is paused" in words(await browser.submit("/locations/here/pause"))
        assert (await browser.see("/operators")).status_code == 403


async def test_who_the_proxy_names_no_more_is_out(redis_url: str, redis: Redis) -> None:
    """The cookie of such a login is invalid without the header, and with another user's."""
    keep(redis)
    add(redis)
    add(redis, "bob", role=Role.READ)
    async with opened(redis_url, **HEADER) as browser:
        await browser.see("/locations", **JANE)
        assert "Admin token" in words(await browser.see("/locations"))
        assert "bob" in words(await browser.see("/locations", **{"X-Forwarded-User": "bob"}))


UNTRUSTED: dict[str, tuple[dict[str, str], list[tuple[str, str]]]] = {
    "another proxy": ({**HEADER, "BRIDGE_TRUSTED_PROXIES": "10.0.0.0/8"}, [*JANE.items()]),
    "no header is set": ({}, [*JANE.items()]),
    "another header": (HEADER, [("X-Remote-User", "jane@agency.example")]),
    "the header twice": (HEADER, [*JANE.items(), *JANE.items()]),
    "nobody of that name": (HEADER, [("X-Forwarded-User", "mallory")]),
    "an empty name": (HEADER, [("X-Forwarded-User", "")]),
}


@pytest.mark.parametrize(("environ", "headers"), UNTRUSTED.values(), ids=UNTRUSTED)
async def test_nobody_else_names_an_operator(
    redis_url: str, redis: Redis, environ: dict[str, str], headers: list[tuple[str, str]]
) -> None:
    """Only a proxy in BRIDGE_TRUSTED_PROXIES may, with one header BRIDGE_LOGIN_HEADER; otherwise the token is needed."""
    keep(redis)
    add(redis)
    async with opened(redis_url, **environ) as browser:
        answer = await browser.http.get("/console/locations", headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/login?next=/console/locations")
        assert "set-cookie" not in answer.headers


def test_a_forwarded_address_is_not_the_proxys(redis_url: str, redis: Redis) -> None:
    """The address of the connection counts, not that in a header."""
    keep(redis)
    add(redis)
    spoofed = {**JANE, "X-Forwarded-For": "10.1.2.3"}
    with served(redis_url, **{**HEADER, "BRIDGE_TRUSTED_PROXIES": "10.0.0.0/8"}) as url:
        assert httpx.get(f"{url}/console/locations", headers=spoofed).status_code == 303
    with served(redis_url, **HEADER) as url:
        assert "jane@agency.example" in httpx.get(f"{url}/console/locations", headers=spoofed).text


def test_a_login_header_needs_its_proxies() -> None:
    """Otherwise everybody could send the header, so the web process refuses to start."""
    with pytest.raises(Misconfigured, match="BRIDGE_LOGIN_HEADER needs BRIDGE_TRUSTED_PROXIES"):
        build(from_environment({"BRIDGE_LOGIN_HEADER": "X-Forwarded-User", "REDIS_URL": "redis://127.0.0.1:1"}))
