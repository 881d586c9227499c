"""The public pages in a real browser: on a phone and on a desktop, light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

from tests.browser.conftest import LOOKS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES = {"/": "Console", "/api/docs": "admin API"}


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize("path", PAGES)
def test_an_open_page_is_for_everybody(
    chromium: Browser, address: str, path: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    """It says what it is, axe finds no error, nothing is wider than the screen, and no other host is requested."""
    context = chromium.new_context(base_url=address, viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add("/".join(request.url.split("/")[:3])))
    page.goto(path)
    assert PAGES[path] in page.locator("body").inner_text()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert hosts == {address}
    context.close()
