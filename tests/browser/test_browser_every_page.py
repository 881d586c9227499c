"""Every page of the console on a phone and on a desktop, light and dark: accessible, short, and usable by keyboard."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from bridge.model import LocationId, Role
from bridge.receiver.console.app import PAGES
from bridge.store.operators.audit import Audit
from bridge.store.operators.operators import Operators
from bridge.store.redis.connection import now_ms
from tests.browser.conftest import LOOKS, log_in
from tests.browser.test_browser_lists import MOST_PIXELS, work
from tests.keys import key
from tests.operating.test_operating_dead_letters import write_dead_letter
from tests.operating.test_operating_people import knows
from tests.receiver.console.test_console_pages import answered, dead_lettered, skipped
from tests.stored import installs_of, keep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page
    from redis import Redis

# Addresses of each page; a page that has none fails the test.
ADDRESSES: dict[str, tuple[str, ...]] = {
    "/": ("/",),
    "/conversations": ("/conversations", "/conversations?status=skipped&since=24h", "/conversations?q=doe"),
    "/conversations/{id}": ("/conversations/contact", "/conversations/nobody"),
    "/dead-letters": ("/dead-letters", "/dead-letters?location=here"),
    "/locations": ("/locations",),
    "/locations/{id}": ("/locations/here", "/locations/installed", "/locations/held"),
    "/live": ("/live",),
    "/report": ("/report", "/report?location_id=here"),
    "/operators": ("/operators",),
    "/audit": ("/audit",),
}
# Set it to a folder to have a look: each page is photographed there, whole.
SHOTS = os.environ.get("CONSOLE_SHOTS", "")

OVERLAPPING = """[...document.querySelectorAll('main button, main .button')]
    .filter((each) => each.getBoundingClientRect().right > each.parentElement.getBoundingClientRect().right + 1)
    .map((each) => each.innerText)"""
# What can be used, but takes no focus, or shows none. A radio button is reached by its group; what is folded away isn't there.
UNREACHABLE = """() => {
    const used = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary')]
        .filter((each) => each.checkVisibility());
    return used.filter((each) => {
        each.focus();
        const style = getComputedStyle(each);
        const shown = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
        return each.tabIndex < 0 || document.activeElement !== each || !shown;
    }).map((each) => each.outerHTML.slice(0, 120));
}"""
# What has a meaning by its place or its look alone.
UNNAMED = """[...document.querySelectorAll('main section, nav, [role=region]')]
    .filter((each) => !each.hasAttribute('aria-label') && !each.hasAttribute('aria-labelledby'))
    .map((each) => each.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def pages(chromium: Browser, address: str) -> Iterator[Page]:
    """One login for all pages."""
    context = chromium.new_context(base_url=address)
    page = context.new_page()
    log_in(page)
    yield page
    context.close()


@pytest.fixture
def filled(redis: Redis) -> None:
    """The data of a small agency: people, failures of three kinds, a location on hold and one without settings."""
    usual: dict[str, Any] = {"takeover_seconds": -1, "ghl_token": "pit-x", "business_hours": ("mon-fri 09:00-17:30",)}
    keep(redis, "here", "there", "held", *(f"another{number}" for number in range(30)), timezone="America/New_York", **usual)
    redis.sadd(key("holds"), "held")
    redis.hset(key("location", "held"), mapping={"hold": now_ms(redis) - 60_000, "hold_why": "ghl"})
    write_dead_letter(redis, 61, said="It is down")
    answered(redis)
    skipped(redis)
    dead_lettered(redis, 60)
    dead_lettered(redis, 3, "there", error="GHL: HTTP 400")
    knows(redis, "jane", "Jane Doe", phone="+15551234567")
    for number in range(30):
        work(redis, f"more{number}", status="replied")
    installs_of(redis).add(LocationId("installed"), "")
    for role in Role:
        Operators(redis).add(f"jane.{role}@agency.example", role, ("here", "there"), role, lasts_ms=3_600_000)
    audit = Audit(redis, retention_ms=3_600_000)
    for number in range(30):
        audit.note(who="console:jane.operate@agency.example", what="dead_letters.replay", ids=[f"id{number}"] * 5, outcome="done")


def test_every_page_has_an_address() -> None:
    """A new page is tested too."""
    assert ADDRESSES.keys() == PAGES.keys()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.usefixtures("filled")
def test_every_page_can_be_used_by_everybody(pages: Page, width: int, scheme: Literal["light", "dark"]) -> None:
    """Axe finds no error; everything can be seen, named and reached by keyboard; no page is endless on a phone."""
    pages.set_viewport_size({"width": width, "height": 844})
    pages.emulate_media(color_scheme=scheme)
    faults: dict[str, object] = {}
    for path in (each for every in ADDRESSES.values() for each in every):
        pages.goto(f"/console{path}")
        if SHOTS:
            pages.screenshot(
                path=Path(SHOTS) / f"{path.strip('/').replace('/', '_') or 'overview'}-{width}-{scheme}.png", full_page=True
            )
        axe = Axe().run(pages)
        height = pages.evaluate("document.documentElement.scrollHeight")
        pages.keyboard.press("Tab")
        wrong = {
            "axe": axe.generate_report() if axe.violations_count else "",
            "too wide": pages.evaluate("document.documentElement.scrollWidth > window.innerWidth"),
            "too long": height if height > MOST_PIXELS else 0,
            "no skip link": pages.evaluate("!document.activeElement.matches('.skip')"),
            "cut off": pages.evaluate(OVERLAPPING),
            "unreachable": pages.evaluate(UNREACHABLE),
            "unnamed": pages.evaluate(UNNAMED),
            "headings": pages.evaluate("document.querySelectorAll('h1').length !== 1"),
        }
        faults |= {f"{path}: {name}": fault for name, fault in wrong.items() if fault}
    assert faults == {}


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
def test_times_of_day_are_the_locations_and_the_readers(chromium: Browser, address: str, redis: Redis, *, script: bool) -> None:
    """Times are labelled: the location's is shown without scripts too, the reader's only if it differs."""
    keep(redis, timezone="America/New_York")
    answered(redis)
    with chromium.new_context(base_url=address, timezone_id="Asia/Tokyo", java_script_enabled=script) as context:
        page = context.new_page()
        log_in(page)
        page.goto("/console/conversations/contact")
        time = page.locator("#timeline time").first
        moment = datetime.fromisoformat(time.get_attribute("datetime") or "")
        here, reader = (f"{moment.astimezone(ZoneInfo(name)):%H:%M:%S}" for name in ("America/New_York", "Asia/Tokyo"))
        expect(time).to_have_text(f"{here} ({reader})" if script else here)
        expect(page.locator("#timeline")).to_contain_text("Times are in the location's time zone, America/New_York")
        expect(page.get_by_text("in parentheses in yours, Asia/Tokyo")).to_be_visible(visible=script)


def test_a_message_is_said_to_a_screen_reader(pages: Page, redis: Redis) -> None:
    """The result of an action is put into a live region after the page has loaded, so that it is read out."""
    keep(redis, "here")
    pages.goto("/console/locations")
    pages.get_by_role("button", name="Pause here").click()
    expect(pages.locator("[aria-live=polite]#announced")).to_have_text(re.compile("here is paused"))
