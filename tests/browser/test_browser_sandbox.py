"""The demo's sandbox page in a real browser: one writes as the contact, lets things go wrong, and sees the bridge cope."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from tests.browser.conftest import WIDTHS
from tests.data_folder import data_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

# Where a reply may have been delivered already, GHL's list is looked at for 36 s before the next try; "twice" is twice that.
SOON, LATER = 20_000, 90_000


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo, all of it; where its page is."""
    with data_folder(tmp_path_factory.mktemp("demo") / "data") as folder:
        folder.start("demo")
        found = re.search(r"sandbox page +(\S+)", folder.says("Ctrl-C stops everything"))
        assert found
        yield found[1]


@pytest.fixture(params=[1280])
def sandbox(chromium: Browser, demo: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page with a contact who has written nothing yet; it may say nothing wrong meanwhile."""
    context = chromium.new_context(viewport={"width": request.param, "height": 900})
    context.set_default_timeout(SOON)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(demo)
    # It begins with the newest conversation, the demo's own.
    page.wait_for_url(re.compile("#.+"))
    page.locator("#contact").select_option(label="New contact")
    yield page
    context.close()
    assert faults == []


def write(page: Page, text: str) -> None:
    """As the contact."""
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("button", name="Send").click()


def replies(page: Page, count: int, *, within: int = SOON) -> None:
    """So many of the agent's messages are on the phone."""
    expect(page.locator(".about-message").filter(has_text="Agent, through the bridge")).to_have_count(count, timeout=within)


def tells(page: Page, text: str, *, within: int = SOON) -> None:
    """The bridge's own timeline has this."""
    expect(page.locator("#timeline")).to_contain_text(text, timeout=within)


def ends(page: Page, text: str, *, within: int = SOON) -> None:
    """What became of the newest message, in the bridge's own words."""
    expect(page.locator("#outcome")).to_have_text(re.compile(text), timeout=within)


@pytest.mark.parametrize("sandbox", WIDTHS, indirect=True)
def test_a_message_is_answered_beside_its_timeline(sandbox: Page) -> None:
    """On a phone and on a desk, with nothing that axe finds wrong."""
    write(sandbox, "Hi! Is Friday free?")
    replies(sandbox, 1)
    ends(sandbox, "^replied$")
    for step in ("accepted", "asking", "answered", "sending", "sent"):
        tells(sandbox, step)
    found = Axe().run(sandbox)
    assert found.violations_count == 0, found.generate_report()
    assert sandbox.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("mishap", "told"),
    [
        ("Agent: 429 once", "429"),
        ("Agent: 500 twice", "500"),
        ("Agent: connection drops", "remote protocol error"),
        ("GHL: 500 once", "500"),
        ("GHL: sends, then connection drops", "unknown"),
    ],
)
def test_what_goes_wrong_is_told_and_answered_once(sandbox: Page, mishap: str, told: str) -> None:
    """Whatever fails, the contact gets one answer, and the timeline says what happened on the way."""
    sandbox.get_by_label("What goes wrong with each message").select_option(label=mishap)
    write(sandbox, "Hi! Is Friday free?")
    replies(sandbox, 1, within=LATER)
    ends(sandbox, "^replied$")
    tells(sandbox, told)


def test_a_contact_who_may_not_be_written_to_gets_nothing(sandbox: Page) -> None:
    """Do not disturb: skipped, with the reason."""
    sandbox.get_by_label("What goes wrong with each message").select_option(label="Contact: do not disturb (DND)")
    write(sandbox, "Hi! Is Friday free?")
    ends(sandbox, "^skipped: dnd$")
    replies(sandbox, 0)


def test_after_stop_nothing_is_answered(sandbox: Page) -> None:
    """STOP stays in force for what comes after it."""
    sandbox.get_by_role("button", name="Write STOP").click()
    ends(sandbox, "^skipped: stop word")
    write(sandbox, "Are you there?")
    tells(sandbox, "characters 14")
    ends(sandbox, "^skipped: stop word")
    replies(sandbox, 0)


def test_nobody_talks_over_a_human(sandbox: Page) -> None:
    """Once staff has written, the contact is theirs."""
    write(sandbox, "Hi! Is Friday free?")
    replies(sandbox, 1)
    sandbox.get_by_role("button", name="Staff steps in").click()
    tells(sandbox, "by person")
    write(sandbox, "Thank you, Kim!")
    ends(sandbox, "^skipped: human takeover")
    replies(sandbox, 1)


def test_a_burst_gets_one_answer(sandbox: Page) -> None:
    """Five messages in a row are one question."""
    sandbox.get_by_role("button", name="Burst of 5").click()
    replies(sandbox, 1)
    ends(sandbox, "^replied$")
    expect(sandbox.locator(".message.outbound")).to_contain_text("In the morning, please.")


def test_a_killed_worker_loses_nothing(sandbox: Page) -> None:
    """What it was at work on is answered by the next one, once."""
    sandbox.get_by_label("What goes wrong with each message").select_option(label="Agent: slow, 8 seconds")
    write(sandbox, "Hi! Is Friday free?")
    tells(sandbox, "asking")
    sandbox.get_by_role("button", name="Kill the worker").click()
    replies(sandbox, 1, within=LATER)
    ends(sandbox, "^replied$")


def test_another_provider_answers(sandbox: Page) -> None:
    """Whoever is chosen."""
    choice = sandbox.get_by_label("Answered by")
    choice.select_option(value=choice.locator("option").filter(has_text="agencii").get_attribute("value"))
    write(sandbox, "Hi! Is Friday free?")
    replies(sandbox, 1)
    tells(sandbox, "provider agencii")
