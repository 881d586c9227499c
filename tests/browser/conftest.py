"""The console in a real browser: the distribution's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.served import ADMIN_TOKEN, served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page
    from redis import Redis

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDTHS = (390, 1280)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser per file, because its event loop must end before the next one begins. REQUIRE_BROWSER requires one."""
    if CHROMIUM is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("no Chromium is installed, and REQUIRE_BROWSER says that these tests must run")
        pytest.skip("no Chromium is installed; Debian has it in `chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(redis_url: str) -> Iterator[str]:
    """One receiver for all tests of this file."""
    with served(redis_url) as url:
        yield url


@pytest.fixture(params=WIDTHS)
def page(chromium: Browser, address: str, redis: Redis, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page with a login, on a phone and on a desktop; it may report no error meanwhile."""
    del redis
    context = chromium.new_context(base_url=address, viewport={"width": request.param, "height": 844})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security Policy" in message.text else None)
    log_in(page)
    yield page
    context.close()
    assert faults == []


def log_in(page: Page) -> None:
    """Log in with the form."""
    page.goto("/console/")
    page.get_by_label("Admin token").fill(ADMIN_TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/console/")
