"""An operator's tasks in the console's lists, in a real browser, on a phone and on a desktop."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from bridge.model import Again, Ended, MessageId, Reason, Status
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.operating.test_operating_people import knows
from tests.receiver.console.test_console_pages import dead_lettered
from tests.stored import accept, claim, dead_letters_of, due_ms, keep, lanes_of, message

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from redis import Redis

MOST_PIXELS = 3000


def work(redis: Redis, contact: str, outcome: Again | None = None, **ended: object) -> None:
    """A contact's new message, and its outcome."""
    accept(redis, message(f"m-{contact}", contact, date_added_ms=now_ms(redis)))
    lanes = lanes_of(redis)
    (lane,) = [one for one in claim(lanes) if one.contact_id == contact]
    turn = lanes.lease(lane)
    assert turn
    ids = (MessageId(f"m-{contact}"),)
    if outcome:
        lanes.again(turn, ids, outcome)
    else:
        lanes.end(turn, Ended(message_ids=ids, **ended))  # type: ignore[arg-type]


def test_an_operator_goes_from_a_number_to_its_list_and_tries_what_waits(page: Page, redis: Redis) -> None:
    """A tile leads to its list, and a row has the button, without leaving the list."""
    keep(redis)
    work(redis, "failed", Again(wait=3000, why="HTTP 500"))
    page.goto("/console/")
    page.locator("#now").get_by_role("link", name=re.compile("Retrying")).click()
    expect(page.get_by_role("heading", name="Retrying")).to_be_visible()
    page.get_by_role("button", name="Try now contact failed").click()
    expect(page.get_by_role("status").filter(has_text="It is tried now.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"status=retrying"))
    assert claim(lanes_of(redis)) or due_ms(redis) is None


def test_an_operator_filters_the_conversations(page: Page, redis: Redis) -> None:
    """The list is filtered by status and reason; the address contains the filter, and one click clears it."""
    keep(redis)
    work(redis, "opted-out", status=Status.SKIPPED, reason=Reason.DND)
    work(redis, "answered", status=Status.REPLIED)
    page.goto("/console/conversations")
    page.locator("details.filters summary").click()
    page.get_by_label("Status", exact=True).select_option("skipped")
    page.get_by_label("Reason", exact=True).select_option("dnd")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#list")).to_contain_text("opted-out")
    expect(page.locator("#list")).not_to_contain_text("answered")
    assert Axe().run(page).violations_count == 0
    page.get_by_role("link", name="Clear").click()
    expect(page.locator("#list")).to_contain_text("answered")


def test_an_operator_replays_all_that_failed_by_one_cause(page: Page, redis: Redis) -> None:
    """Dead letters of other causes stay."""
    keep(redis, "here", "there")
    dead_lettered(redis, 12, "here", error="Assistable: HTTP 500")
    dead_lettered(redis, 2, "there", error="GHL: HTTP 400")
    page.goto("/console/dead-letters")
    page.get_by_role("button", name="Replay all that failed with Assistable: HTTP 500").click()
    expect(page.get_by_role("status").filter(has_text="12 replayed.")).to_be_visible()
    assert dead_letters_of(redis).page().dead_letters[0].lane.location_id == "there"


def test_what_can_not_be_done_is_said_on_the_page(page: Page, redis: Redis) -> None:
    """If nothing is selected, the page itself says what to do."""
    keep(redis)
    dead_lettered(redis, 2)
    page.goto("/console/dead-letters")
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("No dead letter is selected")
    expect(page.get_by_role("heading", name="Dead letters", exact=True)).to_be_visible()


def test_an_operator_finds_a_contact_by_its_name(page: Page, redis: Redis) -> None:
    """A contact is listed by name, found by a word of it, and one click leads to GHL."""
    keep(redis)
    knows(redis, "jane", "Jane Doe", phone="+15551234567")
    knows(redis, "john", "John Doe")
    page.goto("/console/conversations")
    expect(page.locator("#list")).to_contain_text("Jane Doe")
    search = page.get_by_label("Name, phone number or e-mail address of a contact, or any id")
    search.fill("doe")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#found")).to_contain_text("John Doe")
    assert Axe().run(page).violations_count == 0
    search.fill("+1 (555) 123-4567")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name="Jane Doe")).to_be_visible()
    link = page.get_by_role("link", name="Open in GHL")
    expect(link).to_have_attribute("href", re.compile(r"^https://app.gohighlevel.com/v2/location/here/conversations/"))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_full_list_stays_short_on_a_phone(page: Page, redis: Redis) -> None:
    """Fifty conversations and fifty dead letters need no endless scrolling."""
    keep(redis)
    for number in range(60):
        accept(redis, message(f"m{number}", f"contact{number}", date_added_ms=now_ms(redis) - number))
    dead_lettered(redis, 60)
    for path in ("/console/conversations", "/console/dead-letters"):
        page.goto(path)
        height = page.evaluate("document.documentElement.scrollHeight")
        assert height <= MOST_PIXELS, f"{path} is {height} px long"


def test_an_operator_reads_the_newest_words_in_the_list(page: Page, redis: Redis) -> None:
    """The text is shown in the contact's row, with the filter unchanged, and the audit log has an entry."""
    keep(redis)
    for contact in ("jane", "john"):
        knows(redis, contact, f"{contact.title()} Doe")
    accept(redis, message("m-new", "jane", text="Is Friday free?", date_added_ms=now_ms(redis)))
    page.goto("/console/conversations?status=waiting")
    page.get_by_role("button", name="Newest message of Jane Doe").click()
    expect(page.locator("#list .newest")).to_have_text("Is Friday free?")
    expect(page.get_by_role("heading", name="Waiting", exact=True)).to_be_visible()
    assert Axe().run(page).violations_count == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    (noted,) = redis.zrange(key("audit"), 0, -1)
    assert "conversations.words" in str(noted)
