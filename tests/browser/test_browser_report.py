"""A report as an operator reads it, prints it for a client, and saves it as a file."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from bridge.model import LocationId
from bridge.store.figures.reports import DailyCounts, Reported
from bridge.store.redis.partitions import keys, prefix_of
from tests.browser.test_browser_lists import MOST_PIXELS
from tests.stored import HERE, keep

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from redis import Redis

FIRST = datetime(2026, 10, 1, tzinfo=UTC).date()


def a_month(redis: Redis) -> None:
    """A location with data on each day of October 2026, and another with one day."""
    keep(redis, "here", name="Acme Dental", timezone="Europe/Berlin", prices={"*": {"input": 0.4, "output": 1.6}})
    keep(redis, "there", name="Harbour Physiotherapy")
    counts = {
        "a": 142, "r": 110, "p": 3, "n": 8, "s": 18, "d": 1, "x": 31, "h": 2, "o": 1, "u": 1,
        "H": {str(hour): 3 + 7 * (hour % 6) for hour in range(7, 22)}, "R": {"5": 30, "6": 50, "7": 20, "9": 13},
        "T": {"gpt-5-mini": [115, 240_000, 21_000]},
    }  # fmt: skip
    days = {(HERE, str(FIRST + timedelta(days=number))): counts for number in range(31)}
    DailyCounts(redis).add(Reported(0, ("entry",), prefix_of(HERE)), days)
    other = {(LocationId("there"), str(FIRST)): {"a": 4, "r": 4, "R": {"4": 4}}}
    DailyCounts(redis).add(Reported(0, ("entry",), prefix_of("there")), other)
    redis.delete(*keys("reported"))


def test_an_operator_reads_and_prints_a_clients_month(page: Page, redis: Redis) -> None:
    """The operator goes from all locations to one, prints a page, and saves a file."""
    a_month(redis)
    page.goto("/console/")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Report").click()
    page.get_by_label("Period", exact=True).select_option("month")
    page.get_by_label("A day in it").fill("2026-10-15")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="By location")).to_be_visible()
    page.get_by_role("link", name="Acme Dental").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("2026-10-01 to 2026-10-31, Europe/Berlin")
    expect(page.locator("#figures")).to_contain_text("4,402")
    expect(page.locator("#figures")).to_contain_text("4.02")
    assert Axe().run(page).violations_count == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("document.documentElement.scrollHeight") <= MOST_PIXELS
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))) == 1
    with page.expect_download() as kept:
        page.get_by_role("link", name="CSV").click()
    assert kept.value.suggested_filename == "report-here-2026-10-01-month.csv"
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    page.get_by_role("link", name="Previous month").click()
    expect(page.locator("#figures")).to_contain_text("received")
    expect(page.get_by_role("heading", level=1)).to_contain_text("2026-09-01 to 2026-09-30")
