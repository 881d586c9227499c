"""Screenshots of sandbox and console for the documentation: `python -m tests.browser.screenshots FOLDER`.

It starts the demo, lets conversations go well and wrong, and photographs what is to be seen then at 390 and 1280 pixels, light
and dark. Look at the pictures; the best stand in `infra/docs/images`.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import CHROMIUM, WIDTHS
from tests.data_folder import data_folder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LATER = 90_000
# Who answers, what goes wrong, what the contact writes, and what the phone says at the end.
CONVERSATIONS = (
    ("SimulatedLocation001", "Contact: do not disturb (DND)", "Hello?", "Not answered: dnd"),
    ("SimulatedLocation001", "Agent: refuses the request (dead letter)", "Can I move my visit?", "Dead letter"),
    ("SimulatedLocation002", "Nothing", "Do you have parking?", "Answered"),
    ("SimulatedLocation001", "Agent: 500 twice", "Hi! Is Friday free?", "Answered"),
)


def ends(page: Page, status: str) -> None:
    """Wait until the phone shows this outcome."""
    expect(page.locator("#state")).to_have_text(status, timeout=LATER)


def converse(page: Page) -> None:
    """Run conversations; the last one stays open, with a voice note that was transcribed."""
    page.wait_for_url(re.compile("#.+"))
    for location, mishap, text, status in CONVERSATIONS:
        page.evaluate("document.getElementById('fold').open = true")
        page.get_by_label("Answered by").select_option(value=location)
        page.locator("#contact").select_option(label="New contact")
        page.get_by_label("Inject a fault into each message").select_option(label=mishap)
        page.get_by_role("textbox", name="Message").fill(text)
        page.get_by_role("button", name="Send", exact=True).click()
        ends(page, status)
    page.get_by_label("Inject a fault into each message").select_option(label="Nothing")
    page.get_by_role("button", name="Send a voice note").click()
    expect(page.locator(".message.outbound")).to_have_count(2, timeout=LATER)
    ends(page, "Answered")


def shoot_sandbox(page: Page, into: Path) -> None:
    """Take screenshots of this page itself, because another page would not show the events at GHL."""
    for scheme in SCHEMES:
        for width in WIDTHS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 844})
            page.screenshot(path=into / f"sandbox-{width}-{scheme}.png")


def shoot(browser: Browser, pages: dict[str, str], token: str, into: Path) -> None:
    """Take screenshots of each console page at each width, light and dark."""
    for scheme in SCHEMES:
        for width in WIDTHS:
            context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme, device_scale_factor=2)
            page = context.new_page()
            page.goto(pages["overview"])
            page.get_by_label("Admin token").fill(token)
            page.get_by_role("button", name="Log in").click()
            for name, address in pages.items():
                page.goto(address)
                expect(page.locator(".live")).to_contain_text("live")
                page.screenshot(path=into / f"{name}-{width}-{scheme}.png")
            context.close()


def main() -> int:
    """Start the demo, run conversations, and take screenshots."""
    into = Path(sys.argv[1])
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, data_folder(Path(folder) / "data") as demo, sync_playwright() as playwright:
        demo.start("demo")
        found = re.search(r"sandbox page +(\S+).*token: (\S+)", demo.says("Ctrl-C stops everything"), re.DOTALL)
        assert found
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 844}, device_scale_factor=2)
        page.goto(found[1])
        converse(page)
        conversation = page.get_by_role("link", name="Open in the console").get_attribute("href") or ""
        console = conversation.partition("/console/")[0] + "/console"
        shoot_sandbox(page, into)
        pages = {
            "overview": f"{console}/",
            "conversation": conversation,
            "dead-letters": f"{console}/dead-letters",
        }
        shoot(browser, pages, found[2], into)
    return 0


if __name__ == "__main__":
    sys.exit(main())
