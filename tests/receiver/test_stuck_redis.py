"""A stuck Redis (SIGSTOP: it accepts connections and never answers): console and admin API report it within seconds."""

from __future__ import annotations

import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from bridge.receiver.console.live import LASTS_SECONDS
from bridge.receiver.waiting import SECONDS
from bridge.store.redis.connection import connect
from tests.served import ADMIN_TOKEN, served, serving
from tests.stored import eventually, keep, own_redis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stored import OwnRedis

PAGES = ("/", "/conversations", "/dead-letters", "/locations", "/live", "/conversations/none")
# A machine with other work on it is slower than the deadline, but nowhere near the twenty seconds that a client would try for.
AT_MOST = SECONDS + 8.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OwnRedis]:
    """A Redis with a location, which runs again before its end."""
    with own_redis(tmp_path) as server:
        with connect(server.url) as redis:
            keep(redis)
        yield server
        server.signal(signal.SIGCONT)


@contextmanager
def operator(url: str) -> Iterator[httpx.Client]:
    """A browser with a login."""
    with httpx.Client(base_url=url, timeout=60) as browser:
        assert browser.post("/console/login", data={"token": ADMIN_TOKEN}).status_code == 303
        yield browser


def test_a_stuck_redis_is_an_error_page(server: OwnRedis) -> None:
    """Every page reports it within three seconds, for any number of requests, and works again when Redis does."""
    assert SECONDS < 3
    with served(server.url) as url, operator(url) as browser:
        server.signal(signal.SIGSTOP)
        began = time.monotonic()
        with ThreadPoolExecutor(len(PAGES) * 3) as many:
            answers = list(many.map(lambda page: browser.get(f"/console{page}"), PAGES * 3))
        assert time.monotonic() - began < AT_MOST
        assert [answer.status_code for answer in answers] == [503] * len(answers)
        assert all("has not answered" in answer.text and "</html>" in answer.text for answer in answers)
        server.signal(signal.SIGCONT)
        assert browser.get("/console/locations").status_code == 200


def test_a_stuck_redis_is_an_answer_of_the_admin_api(server: OwnRedis) -> None:
    """A remote command, with BRIDGE_URL, gets the error as quickly."""
    with served(server.url) as url:
        server.signal(signal.SIGSTOP)
        began = time.monotonic()
        answer = httpx.get(f"{url}/api/v1/overview", headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}, timeout=60)
        assert time.monotonic() - began < AT_MOST
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")


def test_an_open_page_is_told_that_redis_is_stuck(server: OwnRedis) -> None:
    """Its stream has `here` while Redis answers and `lost` while not, and then the page says "connection lost"."""
    with served(server.url) as url, operator(url) as browser:
        assert "here" in _events(browser, until="here")
        server.signal(signal.SIGSTOP)
        began = time.monotonic()
        assert _events(browser, until="lost") == ["lost"]
        assert time.monotonic() - began < AT_MOST
        server.signal(signal.SIGCONT)
        eventually(lambda: "here" in _events(browser, until="here"))


def test_open_pages_do_not_delay_a_stop(server: OwnRedis) -> None:
    """Their streams, which last ten seconds, end at once when the process stops."""
    with serving(server.url) as (url, process), operator(url) as browser, ExitStack() as stack:
        for _ in range(3):
            opened = stack.enter_context(browser.stream("GET", "/console/events"))
            assert next(opened.iter_lines())
        began = time.monotonic()
        process.terminate()
        assert process.wait(LASTS_SECONDS) == -signal.SIGTERM
        assert time.monotonic() - began < LASTS_SECONDS / 2


def test_a_receiver_starts_beside_a_stuck_redis(server: OwnRedis) -> None:
    """/healthz answers, /readyz reports it, and webhooks get 429 until Redis is back."""
    server.signal(signal.SIGSTOP)
    with served(server.url) as url:
        assert httpx.get(f"{url}/readyz", timeout=60).status_code == 503
        server.signal(signal.SIGCONT)
        eventually(lambda: httpx.get(f"{url}/readyz", timeout=60).status_code == 200)


def _events(browser: httpx.Client, *, until: str) -> list[str]:
    """The kinds of events in one stream, up to one kind or its end."""
    found: list[str] = []
    with browser.stream("GET", "/console/events") as answer:
        for line in answer.iter_lines():
            found += re.findall(r"^event: (\w+)$", line)
            if until in found:
                break
    return found
