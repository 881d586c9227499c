"""The demo's sandbox page in a real browser: a visitor writes as the contact, causes faults, and sees the reaction."""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from tests.browser import quick_demo
from tests.browser.conftest import WIDTHS, Tab
from tests.data_folder import data_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

# Later: what waits for a lease to end, for a sweep, or for looks at GHL's list before the next try.
SOON, LATER = 20_000, 90_000
# A button says for a moment that it has copied: what the buttons of the ids say is noted as they say it.
NOTE_WORDS = """() => {
    window.noted = [];
    new MutationObserver((all) => all.forEach(({target}) => noted.push(`${target.ariaLabel}: ${target.textContent}`)))
        .observe(document.getElementById('ids'), {childList: true, subtree: true});
}"""


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the sandbox page is, and the token of the console beside it."""

    url: str
    token: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A complete demo with short waits."""
    with data_folder(tmp_path_factory.mktemp("demo") / "data") as folder:
        folder.start(command=(sys.executable, quick_demo.__file__))
        found = re.search(r"sandbox page +(\S+).*token: (\S+)", folder.says("Ctrl-C stops everything"), re.DOTALL)
        assert found
        yield Demo(found[1], found[2])


@pytest.fixture(scope="module")
def windows(chromium: Browser) -> Iterator[Callable[[int], Tab]]:
    """One for each width, for all tests: to open another costs as much as a message and its answer."""
    with ExitStack() as contexts:

        @cache
        def of(width: int) -> Tab:
            context = contexts.enter_context(chromium.new_context(viewport={"width": width, "height": 900}))
            context.set_default_timeout(SOON)
            return Tab(context.new_page())

        yield of


@pytest.fixture(params=[1280])
def sandbox(windows: Callable[[int], Tab], demo: Demo, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page with a new contact; it may report no error meanwhile."""
    tab = windows(request.param)
    page = tab.page
    page.context.clear_cookies()
    page.goto("about:blank")
    page.goto(demo.url)
    # It begins with the newest conversation, the demo's own.
    page.wait_for_url(re.compile("#.+"))
    page.evaluate("document.getElementById('fold').open = true")
    page.get_by_label("Answered by").select_option(value="SimulatedLocation001")
    page.locator("#contact").select_option(label="New contact")
    page.evaluate("unfold()")
    yield page
    for other in page.context.pages:
        if other is not page:
            other.close()
    assert tab.take_faults() == []


def write(page: Page, text: str) -> None:
    """Write as the contact."""
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def status(page: Page, text: str, *, within: int = SOON) -> None:
    """The phone shows this status below the name of the business, without dots."""
    expect(page.locator("#state")).to_have_text(re.compile(text), timeout=within)
    expect(page.locator(".thinking")).to_have_count(0)


def settle_on(page: Page, mishap: str, service: str = "") -> None:
    """Choose the provider, and the fault."""
    if service:
        choice = page.get_by_label("Answered by")
        choice.select_option(value=choice.locator("option").filter(has_text=service).get_attribute("value"))
    page.get_by_label("Inject a fault into each message").select_option(label=mishap)


def replies(page: Page, count: int, *, within: int = SOON) -> None:
    """The phone shows this many messages of the agent."""
    expect(page.locator(".about-message").filter(has_text="Agent, through the bridge")).to_have_count(count, timeout=within)


def tells(page: Page, text: str, *, within: int = SOON) -> None:
    """The bridge's timeline contains this."""
    expect(page.locator("#timeline")).to_contain_text(text, timeout=within)


def ends(page: Page, text: str, *, within: int = SOON) -> None:
    """The outcome of the newest message, as the bridge reports it."""
    expect(page.locator("#outcome")).to_have_text(re.compile(text), timeout=within)


@pytest.mark.parametrize("sandbox", WIDTHS, indirect=True)
def test_a_message_is_answered_beside_its_timeline(sandbox: Page) -> None:
    """This works on a phone and on a desktop, and axe finds no error."""
    write(sandbox, "Hi! Is Friday free?")
    replies(sandbox, 1)
    ends(sandbox, "^replied, reply ")
    status(sandbox, "^Answered$")
    for step in ("accepted", "asking", "answered", "sending", "sent"):
        tells(sandbox, step)
    found = Axe().run(sandbox)
    assert found.violations_count == 0, found.generate_report()
    assert sandbox.evaluate("document.documentElement.scrollWidth <= innerWidth")
    field = sandbox.get_by_role("textbox", name="Message").bounding_box()
    assert field
    assert field["y"] + field["height"] < 900


@pytest.mark.parametrize(
    ("mishap", "told"),
    [
        ("Agent: 429 once", "429"),
        pytest.param("Agent: 500 twice", "500", marks=pytest.mark.nightly),
        ("Agent: connection drops", "remote protocol error"),
        ("GHL: 500 once", "500"),
        ("GHL: sends, then connection drops", "unknown"),
    ],
)
def test_what_goes_wrong_is_told_and_answered_once(sandbox: Page, mishap: str, told: str) -> None:
    """Whatever fails, the contact gets one answer, and the timeline says what happened on the way."""
    sandbox.get_by_label("Inject a fault into each message").select_option(label=mishap)
    write(sandbox, "Hi! Is Friday free?")
    replies(sandbox, 1, within=LATER)
    ends(sandbox, "^replied, reply ")
    status(sandbox, "^Answered$")
    tells(sandbox, told)


def test_a_contact_who_may_not_be_written_to_gets_nothing(sandbox: Page) -> None:
    """With do-not-disturb the message is skipped, with the reason."""
    sandbox.get_by_label("Inject a fault into each message").select_option(label="Contact: do not disturb (DND)")
    write(sandbox, "Hi! Is Friday free?")
    ends(sandbox, "^skipped: dnd ")
    status(sandbox, "^Not answered: dnd$")
    replies(sandbox, 0)


def test_after_stop_nothing_is_answered(sandbox: Page) -> None:
    """STOP counts for all later messages."""
    sandbox.get_by_role("button", name="Write STOP").click()
    ends(sandbox, "^skipped: stop_word")
    write(sandbox, "Are you there?")
    tells(sandbox, "14 characters")
    ends(sandbox, "^skipped: stop_word")
    replies(sandbox, 0)


def test_nobody_talks_over_a_human(sandbox: Page) -> None:
    """After a message of staff the bridge does not answer."""
    write(sandbox, "Hi! Is Friday free?")
    replies(sandbox, 1)
    sandbox.get_by_role("button", name="Staff steps in").click()
    tells(sandbox, "by person")
    write(sandbox, "Thank you, Kim!")
    ends(sandbox, "^skipped: human_takeover")
    status(sandbox, "^Not answered: human takeover$")
    replies(sandbox, 1)


def test_a_burst_gets_one_answer(sandbox: Page) -> None:
    """Five messages in a row are one question."""
    sandbox.get_by_role("button", name="Burst of 5").click()
    replies(sandbox, 1)
    ends(sandbox, "^replied, reply ")
    status(sandbox, "^Answered$")
    expect(sandbox.locator(".message.outbound")).to_contain_text("In the morning, please.")


@pytest.mark.parametrize("channel", ["SMS", "WhatsApp"])
@pytest.mark.parametrize(
    ("deed", "shown", "asked"),
    [
        ("Send a picture", "Picture", "[The contact sent 1 picture; you have not seen it.]"),
        ("Send a voice note", "Voice note", "Do you open on Sunday?"),
    ],
)
def test_a_file_is_sent_and_answered(sandbox: Page, deed: str, shown: str, asked: str, channel: str) -> None:
    """A picture is mentioned and a voice note is read, on WhatsApp too, whose webhook contains neither text nor file."""
    sandbox.get_by_label("Channel").select_option(channel)
    sandbox.get_by_role("button", name=deed).click()
    expect(sandbox.locator(".message.inbound")).to_contain_text(shown)
    replies(sandbox, 1, within=LATER)
    expect(sandbox.locator(".message.outbound")).to_contain_text(asked)
    ends(sandbox, "^replied, reply ")
    status(sandbox, "^Answered$")


@pytest.mark.parametrize(("deed", "told"), [("Kill the worker", "asking"), ("Kill the receiver", ""), ("Kill Redis", "")])
def test_a_killed_process_loses_nothing(sandbox: Page, deed: str, told: str) -> None:
    """If a process is killed during the completion, the message is answered once."""
    settle_on(sandbox, "Agent: slow, 8 seconds")
    write(sandbox, "Hi! Is Friday free?")
    tells(sandbox, told or "accepted")
    sandbox.get_by_role("button", name=deed).click()
    expect(sandbox.locator("#messages")).to_contain_text("is killed, and started again")
    replies(sandbox, 1, within=LATER)
    ends(sandbox, "^replied, reply ", within=LATER)
    status(sandbox, "^Answered$")


def test_a_draft_is_an_end(sandbox: Page) -> None:
    """In draft mode the phone shows that, and waits for nothing more."""
    settle_on(sandbox, "Nothing", "drafts only")
    write(sandbox, "Hi! Is Friday free?")
    status(sandbox, "^A draft for staff: nothing was sent$")
    expect(sandbox.locator(".message.comment")).to_have_count(1)


def test_a_refused_question_is_a_dead_letter(sandbox: Page) -> None:
    """A question that the agent always refuses becomes a dead letter with its cause; one click opens its page in the console."""
    settle_on(sandbox, "Agent: refuses the request (dead letter)", "assistable (Simulated Dental)")
    write(sandbox, "Hi! Is Friday free?")
    status(sandbox, "^Dead letter$")
    ends(sandbox, "^dead: .*422")
    contact = sandbox.locator("#ids code").first.inner_text()
    link = sandbox.get_by_role("link", name="Open in the console").get_attribute("href") or ""
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/console/conversations/" + contact, link)
    assert sandbox.request.get(link).url.split("?")[0].endswith("/console/login")


def test_refused_logins_are_a_hold(sandbox: Page, demo: Demo) -> None:
    """Three refused logins in a row put the location on hold; the page links to where it is ended, and then there is a reply."""
    settle_on(sandbox, "GHL: login refused (hold)", "Simulated Garage")
    write(sandbox, "Hi! Is Friday free?")
    status(sandbox, "^On hold: ")
    expect(sandbox.locator("#hold")).to_contain_text("three logins in a row were refused")
    link = sandbox.get_by_role("link", name="End the hold in the console").get_attribute("href") or ""
    assert link.endswith("/console/locations/SimulatedLocation004")
    replies(sandbox, 0)
    console = sandbox.context.new_page()
    console.goto(link)
    console.get_by_label("Admin token").fill(demo.token)
    console.get_by_role("button", name="Log in").click()
    console.get_by_role("button", name="Resume").first.click()
    replies(sandbox, 1)
    status(sandbox, "^Answered$")
    expect(sandbox.locator("#hold")).not_to_be_visible()


def test_a_webhook_that_comes_twice_is_answered_once(sandbox: Page) -> None:
    """The second copy is shown as a duplicate."""
    settle_on(sandbox, "GHL: webhook arrives twice")
    write(sandbox, "Hi! Is Friday free?")
    replies(sandbox, 1)
    status(sandbox, "^Answered$")
    expect(sandbox.locator("#steps")).to_contain_text("The bridge answered 200 duplicate")


def test_a_webhook_that_never_comes_is_missed(sandbox: Page) -> None:
    """The sweep finds the message, and it is answered."""
    settle_on(sandbox, "GHL: webhook never arrives")
    write(sandbox, "Hi! Is Friday free?")
    expect(sandbox.locator("#state")).to_have_text("Without a webhook: the bridge's sweep finds it")
    replies(sandbox, 1, within=LATER)
    status(sandbox, "^Answered$")


def test_a_reply_that_does_not_arrive_is_marked(sandbox: Page) -> None:
    """GHL says later that the reply was not delivered, and the phone shows it."""
    write(sandbox, "Hi! Is Friday free?")
    replies(sandbox, 1)
    sandbox.get_by_role("button", name="Reply not delivered").click()
    expect(sandbox.locator(".about-message.outbound")).to_contain_text("not delivered")
    replies(sandbox, 1)


def test_delivery_and_evidence_are_shown_everywhere(sandbox: Page, demo: Demo) -> None:
    """The delivery of a reply after GHL's 2xx, and its cause: in the sandbox's timeline, the console, and `explain`."""
    write(sandbox, "Hi! Is Friday free?")
    replies(sandbox, 1)
    status(sandbox, "^Answered$")
    expect(sandbox.locator("#timeline details.evidence summary")).to_have_text("Why did it say that?")
    expect(sandbox.locator("#timeline details.evidence")).to_contain_text("provider: assistable")
    sandbox.get_by_role("button", name="Reply not delivered").click()
    tells(sandbox, "undelivered")
    contact = sandbox.locator("#ids code").first.inner_text()
    link = sandbox.get_by_role("link", name="Open in the console").get_attribute("href") or ""
    bridge = link.partition("/console/")[0]
    told = sandbox.request.get(f"{bridge}/api/v1/explain/{contact}", headers={"Authorization": f"Bearer {demo.token}"}).json()
    assert told["messages"][-1]["delivery"] == "undelivered"
    [answered] = [event for event in told["events"] if event["step"] == "answered"]
    assert answered["evidence"]["provider"] == "assistable"
    console = sandbox.context.new_page()
    console.goto(link)
    console.get_by_label("Admin token").fill(demo.token)
    console.get_by_role("button", name="Log in").click()
    expect(console.locator(".message-head .badge").filter(has_text="undelivered")).to_be_visible()
    expect(console.locator("details.evidence summary")).to_have_text("Why did it say that?")
    console.locator("details.evidence").click()
    expect(console.locator("details.evidence")).to_contain_text("assistable")


def test_ids_are_whole_and_copied(sandbox: Page) -> None:
    """The ids of contact, conversation and message are complete, and a button copies each."""
    sandbox.context.grant_permissions(["clipboard-read", "clipboard-write"])
    write(sandbox, "Hi! Is Friday free?")
    status(sandbox, "^Answered$")
    ends(sandbox, "^replied, reply ")
    expect(sandbox.locator("#ids code")).to_have_count(3)
    sandbox.evaluate(NOTE_WORDS)
    for what, code in zip(("contact", "conversation", "message"), sandbox.locator("#ids code").all(), strict=True):
        sandbox.get_by_role("button", name=f"Copy the {what}'s id").click()
        assert re.fullmatch(r"\w{20}", code.inner_text())
        sandbox.wait_for_function("what => noted.includes(`Copy the ${what}'s id: Copied`)", arg=what)
        assert sandbox.evaluate("navigator.clipboard.readText()") == code.inner_text()


@pytest.mark.parametrize("sandbox", [390], indirect=True)
def test_on_a_phone_the_settings_are_folded(sandbox: Page) -> None:
    """The chat is at the top, and the settings are below it, folded."""
    chat, fold = sandbox.locator("#messages").bounding_box(), sandbox.locator("#fold").bounding_box()
    assert chat
    assert fold
    assert chat["y"] < fold["y"]
    expect(sandbox.get_by_label("Channel")).not_to_be_visible()
    sandbox.locator("summary").click()
    expect(sandbox.get_by_label("Channel")).to_be_visible()


SERVICES = {
    "openai": {"thoughts", "tool_call", "empty", "cut_off", "filtered", "error", "handover", "stream"},
    "assistable": {"thoughts", "tool_call", "empty", "filtered", "error", "handover"},
    "agencii": {"thoughts", "tool_call", "empty", "stream"},
    "webhook": {"thoughts", "tool_call", "empty", "error", "handover", "status_sentence", "stream"},
}


@pytest.mark.parametrize("service", SERVICES)
def test_answers_that_a_service_gives_can_be_chosen(sandbox: Page, service: str) -> None:
    """Answers that the chosen service never gives are shown, but can't be chosen."""
    settle_on(sandbox, "Nothing", f"{service} (")
    offered = sandbox.locator("#answers option:not(:disabled)").evaluate_all("all => all.map(each => each.value)")
    assert {each.removeprefix("answer-") for each in offered} == SERVICES[service]
    expect(sandbox.locator("#answers option")).to_have_count(9)


def test_what_becomes_of_an_odd_answer_is_shown(sandbox: Page) -> None:
    """An answer that is only a refusal is no reply, and the phone and the timeline say so."""
    settle_on(sandbox, "with filtered text", "assistable (Simulated Dental)")
    write(sandbox, "Hi! Is Friday free?")
    status(sandbox, "^No reply")
    ends(sandbox, "^no_reply")
    replies(sandbox, 0)


@pytest.mark.parametrize(
    ("answer", "service", "count", "outcome", "told"),
    [
        ("with its thoughts in the text", "openai (", 1, "^replied", "removed: thoughts"),
        ("cut off in mid-sentence", "openai (", 1, "^replied", "shortened: cut off by max_tokens"),
        ("as an unrequested stream", "openai (", 1, "^replied", ""),
        pytest.param("as an unrequested stream", "agencii (", 1, "^replied", "", marks=pytest.mark.nightly),
        pytest.param("as an unrequested stream", "webhook (", 1, "^replied", "", marks=pytest.mark.nightly),
        ("with a tool call as text", "openai (", 0, "^no_reply", "tool_call"),
        pytest.param("with an empty text", "webhook (", 0, "^no_reply", "empty", marks=pytest.mark.nightly),
        pytest.param("with filtered text", "openai (", 0, "^no_reply", "filtered", marks=pytest.mark.nightly),
        ("with a status text of its workflow", "webhook (", 0, "^dead", "what became of the flow"),
        ("with an error inside", "openai (", 0, "^retrying", "error"),
    ],
)
def test_what_becomes_of_each_odd_answer_is_shown(  # noqa: PLR0917 - a row of the table
    sandbox: Page, answer: str, service: str, count: int, outcome: str, told: str
) -> None:
    """Thoughts are removed, a cut text ends with its last sentence, streams are read, and a missing reply has its reason."""
    settle_on(sandbox, answer, service)
    write(sandbox, "Hi! Is Friday free?")
    ends(sandbox, outcome)
    replies(sandbox, count)
    if told:
        tells(sandbox, told)
    for hidden in ("<think>", "discount of 20 percent", "the deposit is", "<tool_call>", "data:", "Sure, the addr"):
        expect(sandbox.locator("#messages")).not_to_contain_text(hidden)


def test_another_provider_answers(sandbox: Page) -> None:
    """The provider can be changed for the chosen contact."""
    choice = sandbox.get_by_label("Answered by")
    choice.select_option(value=choice.locator("option").filter(has_text="agencii").get_attribute("value"))
    write(sandbox, "Hi! Is Friday free?")
    replies(sandbox, 1)
    tells(sandbox, "provider agencii about")
