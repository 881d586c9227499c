"""Several people use one console, in a real browser, on a phone and on a desktop."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from tests.receiver.console.test_console_pages import answered, dead_lettered
from tests.stored import keep

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from redis import Redis


def test_an_admin_adds_a_client_that_sees_only_its_location(page: Page, redis: Redis) -> None:
    """The client logs in with its own token and sees only its location and permitted buttons; the audit log names it."""
    keep(redis, "acme", "here")
    answered(redis)
    dead_lettered(redis, 2)
    page.get_by_role("link", name="Operators").click()
    page.get_by_label("Name", exact=True).fill("acme-client")
    page.get_by_label("Role").select_option("operate")
    page.get_by_label("Only these locations").select_option("acme")
    page.get_by_role("button", name="Add operator").click()
    token = page.locator("#token").inner_text()
    assert Axe().run(page).violations_count == 0
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Admin token").fill(token)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="acme", exact=True)).to_be_visible()
    for name in ("Conversations", "Dead letters", "Live"):
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
        expect(page.get_by_text(re.compile("No conversation|No dead letters|No events")).first).to_be_visible()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Locations").click()
    expect(page.locator("#locations")).not_to_contain_text("here")
    page.get_by_role("button", name="Pause acme").click()
    expect(page.get_by_role("status").filter(has_text="acme is paused")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Admin token").fill("the-admin-token-of-the-tests")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Audit log").click()
    expect(page.locator("#changes")).to_contain_text("acme-client")
    expect(page.locator("#changes")).to_contain_text("locations.pause")
