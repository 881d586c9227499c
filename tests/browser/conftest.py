"""The console in a real browser: the distribution's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.served import ADMIN_TOKEN, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page
    from redis import Redis

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDTHS = (390, 1280)
# How long an expectation may take to come true: nobody waits for it on a machine without other work.
PATIENCE_MS = 30_000
# Each width and each scheme with every commit; the other two together by night.
LOOKS = (
    (390, "light"),
    (1280, "dark"),
    pytest.param(390, "dark", marks=pytest.mark.nightly),
    pytest.param(1280, "light", marks=pytest.mark.nightly),
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser per file, because its event loop must end before the next one begins. REQUIRE_BROWSER requires one."""
    if CHROMIUM is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("no Chromium is installed, and REQUIRE_BROWSER says that these tests must run")
        pytest.skip("no Chromium is installed; Debian has it in `chromium`")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(redis_url: str) -> Iterator[str]:
    """One receiver for all tests of this file."""
    with served(redis_url) as url:
        yield url


@dataclass(slots=True)
class Tab:
    """A page, and what went wrong in it since it was last looked at."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda one: self.faults.append(one.text) if "Content Security Policy" in one.text else None)

    def take_faults(self) -> list[str]:
        """Of one test."""
        found, self.faults = self.faults, []
        return found


@pytest.fixture(scope="module")
def tab(chromium: Browser, address: str) -> Iterator[Callable[[int], Tab]]:
    """One for each width, for all tests of a file: a context and a login cost as much as what most of them look at."""
    with ExitStack() as contexts:

        @cache
        def of(width: int) -> Tab:
            context = contexts.enter_context(chromium.new_context(base_url=address, viewport={"width": width, "height": 844}))
            return Tab(context.new_page())

        yield of


@pytest.fixture(params=WIDTHS)
def page(tab: Callable[[int], Tab], redis: Redis, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page with a login, on a phone and on a desktop; it may report no error meanwhile."""
    del redis
    one = tab(request.param)
    one.page.emulate_media(color_scheme="light")
    one.page.goto("/console/")
    if one.page.get_by_label("Admin token").count():
        log_in(one.page)
    yield one.page
    # Leaves nothing open that would ask the receiver meanwhile.
    one.page.goto("about:blank")
    assert one.take_faults() == []


def log_in(page: Page) -> None:
    """Log in with the form."""
    page.goto("/console/")
    page.get_by_label("Admin token").fill(ADMIN_TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/console/")
