"""An operator's tasks in the console, in a real browser, on a phone and on a desktop."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from tests.browser.conftest import LOOKS, log_in
from tests.receiver.console.test_console_pages import answered, dead_lettered, skipped
from tests.served import served
from tests.stored import accept, dead_letters_of, keep, locations_of, message, own_redis

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page
    from redis import Redis

PAGES = (
    "/console/", "/console/conversations", "/console/conversations?status=skipped&since=24h",
    "/console/conversations/contact", "/console/dead-letters", "/console/locations",
    "/console/locations/here", "/console/live", "/console/report", "/console/nothing",
)  # fmt: skip


# The words on buttons that reach out of what they stand in.
CUT_OFF = """[...document.querySelectorAll('main button')]
    .filter((each) => each.getBoundingClientRect().right > each.parentElement.getBoundingClientRect().right + 1)
    .map((each) => each.innerText)"""


def live(redis: Redis, *, dead_letters: int = 3) -> None:
    """A console with data for every page."""
    keep(redis, "here", "there")
    answered(redis)
    skipped(redis)
    dead_lettered(redis, dead_letters)


def go(page: Page, name: str) -> None:
    """Open a page with the navigation."""
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()


def test_an_operator_reads_why_a_message_was_not_answered(page: Page, redis: Redis) -> None:
    """The conversation is found by an id, and the reason is at its top."""
    live(redis)
    go(page, "Conversations")
    page.get_by_label("Name, phone number or e-mail address of a contact, or any id").fill("m2")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name="Skipped: The conversation is left to people.")).to_be_visible()
    expect(page.locator("#verdict")).to_contain_text("usr_1 wrote 5 min ago")


def test_an_operator_replays_a_dead_letter(page: Page, redis: Redis) -> None:
    """Only the selected dead letter is replayed; the badge counts the others."""
    live(redis)
    go(page, "Dead letters")
    page.get_by_label("Dead letter of contact contact1", exact=True).check()
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="1 replayed.")).to_be_visible()
    expect(page.locator("#dead-letters-count")).to_have_text(re.compile("2"))
    assert [dead_letter.id for dead_letter in dead_letters_of(redis).all()] == ["here00000", "here00002"]


def test_an_operator_pauses_a_location(page: Page, redis: Redis) -> None:
    """A location is paused after its name was typed."""
    live(redis)
    go(page, "Locations")
    page.get_by_role("button", name="Pause there").click()
    expect(page.get_by_role("status").filter(has_text="there is paused")).to_be_visible()
    expect(page.get_by_role("button", name="Resume there")).to_be_visible()
    assert [each.paused for each in locations_of(redis).all()] == [False, True]


def test_an_operator_sees_an_event_as_it_happens(page: Page, redis: Redis) -> None:
    """The event appears without reloading the page."""
    live(redis)
    go(page, "Live")
    expect(page.locator("#events")).to_contain_text("replied")
    expect(page.locator("#live")).to_contain_text("live")
    accept(redis, message("m9", "somebody-new"))
    expect(page.locator("#events")).to_contain_text("somebody-new")


def test_an_open_page_says_when_redis_is_stuck(chromium: Browser, tmp_path: Path) -> None:
    """The page says "connection lost" within seconds, stays as it was, and is live again by itself."""
    with own_redis(tmp_path) as server, served(server.url) as url, chromium.new_context(base_url=url) as context:
        page = context.new_page()
        log_in(page)
        expect(page.locator("#live")).to_contain_text("live")
        server.signal(signal.SIGSTOP)
        expect(page.locator("#live")).to_contain_text("connection lost")
        server.signal(signal.SIGCONT)
        expect(page.locator("#live")).not_to_contain_text("lost")


def test_an_operator_reads_one_text(page: Page, redis: Redis) -> None:
    """The text is shown only on request."""
    keep(redis)
    accept(redis, message("m1", text="only on demand"))
    page.goto("/console/conversations/m1")
    expect(page.locator("body")).not_to_contain_text("only on demand")
    page.get_by_role("button", name="Show the text of m1").click()
    expect(page.locator("blockquote")).to_have_text("only on demand")


@pytest.mark.parametrize(("page", "scheme"), LOOKS, indirect=["page"])
def test_an_empty_console_can_be_read_by_everybody(page: Page, scheme: str) -> None:
    """Axe finds no error, no page is wider than its screen, and no button is cut off."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for path in PAGES:
        page.goto(path)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        assert page.evaluate(CUT_OFF) == [], path


def test_the_login_can_be_read_by_everybody(chromium: Browser, address: str, redis: Redis) -> None:
    """The login page passes axe with and without a refusal."""
    del redis
    page = chromium.new_page(base_url=address)
    page.goto("/console/")
    assert Axe().run(page).violations_count == 0
    page.get_by_label("Admin token").fill("guess")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("not the admin token")
    assert Axe().run(page).violations_count == 0
    page.close()


def test_the_console_works_without_javascript(chromium: Browser, address: str, redis: Redis) -> None:
    """Login, replay and pause are forms."""
    live(redis)
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/console/dead-letters")
    page.get_by_label("Admin token").fill("the-admin-token-of-the-tests")
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Dead letter of contact contact1", exact=True).check()
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.get_by_text("1 replayed.")).to_be_visible()
    context.close()
