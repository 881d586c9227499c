"""An operator's tasks on the page of a location, in a real browser, on a phone and on a desktop."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from bridge.locations_file import read, tables_of
from bridge.model import LocationId
from bridge.operating.locations import Apply, apply
from bridge.operating.services import AdminServices
from bridge.settings import from_environment
from tests.other_side import OtherSide, answering, http
from tests.stored import FERNET_KEY, PROVIDED, installs_of, keep, locations_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page
    from redis import Redis


@pytest.fixture
def service() -> Iterator[OtherSide]:
    """A completion service that answers once, and then refuses the login."""
    with OtherSide(answering(http(200, {"run": {"output": "It works."}}), http(401, {"message": "No such key"}))) as side:
        yield side


def test_an_operator_tests_a_provider(page: Page, redis: Redis, service: OtherSide) -> None:
    """One click tests it and shows its answer, or why there is none."""
    keep(redis, "here", assistable={"assistant_id": "a", "token": "t", "url": f"{service.url}/x"})
    page.goto("/console/locations/here")
    page.get_by_role("button", name="Test the provider").click()
    checked = page.locator("#checked")
    expect(checked).to_contain_text("assistable answered")
    expect(checked).to_contain_text("It works.")
    page.get_by_role("button", name="Test the provider").click()
    expect(checked).to_contain_text("HTTP 401")
    expect(checked).to_contain_text("No such key")
    assert Axe().run(page).violations_count == 0


def test_an_operator_sets_an_installed_location_up(page: Page, redis: Redis) -> None:
    """Each error is shown beside its field, and the mode is draft at first."""
    keep(redis, "other")
    installs_of(redis).add(LocationId("here"), "")
    page.goto("/console/locations")
    page.get_by_role("link", name="Set up here").click()
    page.get_by_label("Who answers").select_option(label="JSON webhook")
    page.get_by_role("button", name="Choose").click()
    page.get_by_label("Name", exact=True).fill("Acme")
    page.get_by_label("JSON webhook: address").fill("http://n8n.example/webhook")
    page.get_by_role("button", name="Set up with drafts").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
    expect(page.get_by_label("JSON webhook: address")).to_have_accessible_description(re.compile("must begin with https://"))
    assert Axe().run(page).violations_count == 0
    page.get_by_label("JSON webhook: address").fill("https://n8n.example/webhook")
    page.get_by_role("button", name="Set up with drafts").click()
    expect(page.get_by_role("heading", name="Acme")).to_be_visible()
    expect(page.locator("#settings")).to_contain_text("drafts: internal comments that only staff see")
    assert [each.location.mode for each in locations_of(redis).all() if each.location.id == "here"] == ["draft"]


def test_an_operator_exports_a_location_and_applies_it_again(page: Page, redis: Redis, redis_url: str) -> None:
    """Applying the exported file changes nothing."""
    keep(redis, "here", ghl_token="very-secret", off_tags=("vip",), assistable=PROVIDED["assistable"])
    page.goto("/console/locations/here")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Export settings").click()
    assert saved.value.suggested_filename == "here.toml"
    file = saved.value.path().read_text(encoding="utf-8")
    before = locations_of(redis).all()
    services = AdminServices(from_environment({"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY}))
    apply.run(services, Apply(locations=tables_of(read(file, {}))))
    services.close()
    assert [each.location for each in locations_of(redis).all()] == [each.location for each in before]
