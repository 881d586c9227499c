"""The console's logins: nobody gets in without the token, and no other site's page changes anything."""

from __future__ import annotations

import re
import time
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from bridge.operating import audit
from bridge.operating.local import LocalOperations
from bridge.operating.services import AdminServices
from bridge.receiver.console.headers import ALWAYS
from bridge.receiver.console.sessions import Sessions
from bridge.settings import from_environment
from bridge.store.operators.login_rate_limit import MOST_OF_AN_ADDRESS
from tests.keys import key
from tests.receiver.console.conftest import opened, words
from tests.served import ADMIN_TOKEN
from tests.stored import FERNET_KEY, keep

if TYPE_CHECKING:
    import httpx
    from redis import Redis

    from tests.receiver.console.conftest import Browser

PAGES = ["/", "/conversations", "/conversations/some-id", "/dead-letters", "/locations", "/locations/here", "/live", "/report"]
STATIC = ["/static/console.css", "/static/console.js", "/static/icon.svg"]


def cookie(answer: httpx.Response, name: str = "ghlb_session") -> SimpleCookie:
    """The cookie in an answer."""
    return SimpleCookie(next(one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{name}=")))


@pytest.mark.parametrize("path", PAGES)
async def test_whoever_is_not_logged_in_is_asked_for_the_token(stranger: Browser, path: str) -> None:
    """Each page leads to the login, and from there back to itself."""
    answer = await stranger.http.get(f"/console{path}")
    assert answer.status_code == 303
    login = await stranger.http.get(answer.headers["location"])
    assert "Admin token" in words(login)
    action = re.search(r'action="([^"]+)"', login.text)
    assert action
    inside = await stranger.http.post(action[1], data={"token": ADMIN_TOKEN})
    assert (inside.status_code, inside.headers["location"]) == (303, f"/console{path}")


@pytest.mark.parametrize("path", [*PAGES, *STATIC, "/nothing", "/login", "/events"])
async def test_every_answer_tells_the_browser_what_to_refuse(operator: Browser, path: str) -> None:
    """The security headers are in every answer, whatever its status."""
    answer = await operator.http.get(f"/console{path}") if path != "/events" else None
    if answer is None:
        return
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
    assert "strict-transport-security" not in answer.headers
    assert ("no-store" in answer.headers["cache-control"]) is (path not in STATIC)


@pytest.mark.parametrize("path", PAGES)
async def test_pages_need_no_inline_script_or_style(operator: Browser, redis: Redis, path: str) -> None:
    """The pages contain nothing that their policy forbids."""
    keep(redis)
    text = (await operator.see(path)).text
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<script(?! src=)", text)


async def test_behind_https_the_cookie_and_the_browser_stay_there(redis_url: str, redis: Redis) -> None:
    """This holds directly, and behind a proxy that says so."""
    del redis
    async with opened(redis_url, address="https://bridge") as direct:
        told = await direct.log_in()
        assert "Secure" in told.headers["set-cookie"]
        assert "strict-transport-security" in told.headers
    async with opened(redis_url) as behind:
        told = await behind.http.post("/console/login", data={"token": ADMIN_TOKEN}, headers={"X-Forwarded-Proto": "https"})
        assert "Secure" in told.headers["set-cookie"]


async def test_the_cookie_is_for_the_console_alone(stranger: Browser) -> None:
    """Scripts can't read it, other sites don't send it, and it contains no name."""
    morsel = cookie(await stranger.log_in())["ghlb_session"]
    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "strict", "/console")
    assert 0 < int(morsel["max-age"]) <= 24 * 3600
    assert ADMIN_TOKEN not in morsel.value


async def test_a_wrong_token_is_refused(stranger: Browser) -> None:
    """The page has a sentence, and no cookie is set."""
    answer = await stranger.log_in("guess")
    assert answer.status_code == 401
    assert "not the admin token" in words(answer)
    assert "set-cookie" not in answer.headers
    assert (await stranger.http.get("/console/")).status_code == 303


async def test_guessing_is_slowed_down(stranger: Browser) -> None:
    """After a number of wrong tokens even the right one must wait."""
    for _ in range(MOST_OF_AN_ADDRESS):
        await stranger.log_in("guess")
    answer = await stranger.log_in()
    assert answer.status_code == 429
    assert "too many failed logins" in words(answer).lower()


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/console//evil", "/console/\\evil", "/api/v1/x", ""])
async def test_a_login_ends_on_a_page_of_the_console(stranger: Browser, to: str) -> None:
    """This holds whatever address a link to the login contains."""
    answer = await stranger.http.post("/console/login", params={"next": to}, data={"token": ADMIN_TOKEN})
    assert answer.headers["location"] == "/console/"


async def test_another_sites_login_is_refused(stranger: Browser) -> None:
    """Another site can't log a browser in without the user's knowledge."""
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    answer = await stranger.http.post("/console/login", data={"token": ADMIN_TOKEN}, headers=foreign)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert (await stranger.http.get("/console/")).status_code == 303


async def test_without_an_admin_token_the_console_is_closed(redis_url: str, redis: Redis) -> None:
    """The answer is 403 with a page that says what to set, whatever the request."""
    del redis
    async with opened(redis_url, BRIDGE_ADMIN_TOKEN="") as browser:
        for path in [*PAGES, "/login", "/nothing"]:
            answer = await browser.see(path)
            assert answer.status_code == 403
            assert "BRIDGE_ADMIN_TOKEN" in words(answer)
            assert answer.headers["content-security-policy"]
        assert (await browser.log_in("")).status_code == 403
        assert (await browser.see("/static/console.css")).status_code == 200


async def test_a_new_admin_token_logs_everybody_out(redis_url: str, redis: Redis) -> None:
    """A new secret key does too, unless it is added before the old one."""
    del redis
    async with opened(redis_url) as browser:
        await browser.log_in()
        jar = browser.http.cookies
    other = Fernet.generate_key().decode()
    for environ, stays in (
        ({}, True),
        ({"BRIDGE_SECRET_KEY": f"{other},{FERNET_KEY}"}, True),
        ({"BRIDGE_SECRET_KEY": other}, False),
        ({"BRIDGE_ADMIN_TOKEN": "new"}, False),
    ):
        async with opened(redis_url, **environ) as browser:
            browser.http.cookies = jar
            assert ((await browser.http.get("/console/")).status_code == 200) is stays


def test_a_login_ends() -> None:
    """It ends after its time, and at once with a changed cookie."""
    settings = from_environment({"BRIDGE_ADMIN_TOKEN": ADMIN_TOKEN, "BRIDGE_SECRET_KEY": FERNET_KEY})
    sessions, short = Sessions(settings), Sessions(settings, seconds=0)
    value = sessions.begin()
    assert sessions.read(value)
    # Not the last one: of its bits some are padding.
    assert sessions.read(value[:-4] + ("A" if value[-4] != "A" else "B") + value[-3:]) is None
    assert sessions.read("") is None
    time.sleep(1.1)
    assert sessions.read(value)
    assert short.read(value) is None


async def test_logging_out_ends_the_login_everywhere(operator: Browser, redis_url: str) -> None:
    """This browser's cookie is deleted, and a copy is invalid at every receiver; other logins stay."""
    copied = operator.http.cookies["ghlb_session"]
    async with opened(redis_url) as other:
        await other.log_in()
        answer = await operator.submit("/logout")
        assert "Admin token" in words(answer)
        assert (await operator.http.get("/console/")).status_code == 303
        assert (await other.http.get("/console/")).status_code == 200
        other.http.cookies.clear()
        stolen = {"Cookie": f"ghlb_session={copied}"}
        assert (await other.http.get("/console/", headers=stolen)).status_code == 303
        assert (await other.http.get("/console/events", headers=stolen)).status_code == 401


@pytest.mark.parametrize("planted", ["", "chosen-by-somebody", "a login before"])
async def test_a_login_begins_with_a_cookie_of_its_own(stranger: Browser, planted: str) -> None:
    """Whatever cookie the browser had before, the new one is known to nobody else."""
    if planted == "a login before":
        planted = cookie(await stranger.log_in())["ghlb_session"].value
        stranger.http.cookies.clear()
    told = await stranger.http.post(
        "/console/login", data={"token": ADMIN_TOKEN}, headers={"Cookie": f"ghlb_session={planted}"} if planted else {}
    )
    assert told.status_code == 303
    assert cookie(told)["ghlb_session"].value not in {"", planted}


async def test_the_consoles_cookie_opens_nothing_else(operator: Browser) -> None:
    """The admin API reads its token from a header, which another site's page can't make a browser send."""
    value = operator.http.cookies["ghlb_session"]
    answer = await operator.http.get("/api/v1/overview", headers={"Cookie": f"ghlb_session={value}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/logout", "/locations/here/pause", "/dead-letters", "/conversations/m1/text"])
async def test_what_no_page_of_this_login_sent_changes_nothing(operator: Browser, redis: Redis, path: str) -> None:
    """A form without a token, with a wrong one, with another login's, or from another site is refused."""
    keep(redis)
    own = await operator.csrf()
    for data, headers in (
        ({}, {}),
        ({"csrf": "wrong"}, {}),
        ({"csrf": own[:-2]}, {}),
        ({"csrf": own}, {"Sec-Fetch-Site": "cross-site"}),
        ({"csrf": own}, {"Sec-Fetch-Site": "same-site"}),
    ):
        answer = await operator.http.post(f"/console{path}", data=data, headers=headers)
        assert answer.status_code == 403, (data, headers)
        assert "does not belong to this login" in words(answer)
    assert redis.hget(key("location", "here"), "paused") is None
    assert (await operator.http.get("/console/")).status_code == 200


async def test_another_logins_token_is_worth_nothing(redis_url: str, operator: Browser) -> None:
    """Each login has its own token."""
    async with opened(redis_url) as other:
        await other.log_in()
        answer = await operator.http.post("/console/logout", data={"csrf": await other.csrf()})
    assert answer.status_code == 403


async def test_a_form_that_is_too_large_is_refused(operator: Browser) -> None:
    """It is not read completely."""
    answer = await operator.http.post("/console/dead-letters", content=b"x" * 300_000)
    assert answer.status_code == 413


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/static/nothing.css", 404), ("/locations/unknown", 404)])
async def test_what_is_not_there_is_a_page_too(operator: Browser, path: str, status: int) -> None:
    """It has a link back."""
    answer = await operator.see(path)
    assert answer.status_code == status
    assert "Go to the overview" in words(answer)


async def test_the_address_without_a_slash_leads_to_the_overview(operator: Browser) -> None:
    """The contract has the address without the slash."""
    answer = await operator.http.get("/console", follow_redirects=True)
    assert "Last 24 hours" in words(answer)


async def test_without_redis_a_page_says_so(redis_url: str, redis: Redis) -> None:
    """The status is 503, with a sentence and without a password."""
    del redis
    async with opened(redis_url) as browser:
        await browser.log_in()
        jar = browser.http.cookies
    async with opened("redis://:hidden@127.0.0.1:1/0") as stranded:
        stranded.http.cookies = jar
        for path in ("/", "/dead-letters"):
            answer = await stranded.see(path)
            assert answer.status_code == 503
            assert "Redis could not" in words(answer)
            assert "hidden@" not in answer.text
        assert (await stranded.log_in()).status_code == 503


async def test_every_change_is_noted_as_the_consoles(operator: Browser, redis: Redis, redis_url: str) -> None:
    """Its entries are beside those of the command line and the admin API."""
    keep(redis)
    await operator.submit("/locations/here/pause")
    admin_services = AdminServices(from_environment({"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY}))
    (change,) = LocalOperations(admin_services, who="cli")(audit.audit, audit.AuditQuery()).changes
    admin_services.close()
    assert (change.who, change.what, change.ids) == ("console", "locations.pause", ("here",))
