"""The page of one location: its settings in words, a test of its provider, its settings as a file, and its setup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bridge.locations_file import read
from bridge.model import LocationId
from bridge.operating.provider_check import NOBODY
from tests.other_side import OtherSide, answering, http
from tests.receiver.console.conftest import opened, words
from tests.stored import accept, installs_of, keep, locations_of, message

if TYPE_CHECKING:
    import httpx
    from redis import Redis

    from tests.receiver.console.conftest import Browser

SETUP = {"provider": "assistable", "name": "Acme", "assistant_id": "a1", "token": "very-secret", "required_tags": "ai_test"}


def fault(answer: httpx.Response, field: str) -> str:
    """The error beside a field."""
    described = re.search(rf'id="{field}"[^>]*aria-invalid="true"[^>]*aria-describedby="{field}-about"', answer.text)
    told = re.search(rf'<p class="fault" id="{field}-about">(.*?)</p>', answer.text, re.DOTALL)
    return re.sub(r"<[^>]*>", "", told[1]) if described and told else ""


async def test_settings_are_told_in_words(operator: Browser, redis: Redis) -> None:
    """Differences from the defaults come first, with the default; of secrets it only says that they are set."""
    keep(redis, debounce=90, takeover_seconds=-1, ghl_token="very-secret")
    answer = await operator.see("/locations/here")
    said = words(answer)
    assert "Wait for further messages before answering debounce_seconds 90 s 5 s" in said
    assert "Silent after a person's message takeover_seconds until somebody resumes it 1 d" in said
    assert "Own GHL token ghl_token set not set" in said
    assert said.index("takeover_seconds") < said.index("settings with their default values") < said.index("max_age_seconds")
    assert "very-secret" not in answer.text


async def test_numbers_of_a_location_lead_to_its_lists(operator: Browser, redis: Redis) -> None:
    """They show only that location."""
    keep(redis, "here", "there")
    accept(redis, message("m1"))
    answer = await operator.see("/locations/here")
    assert re.search(r"Waiting 1 ", words(answer))
    assert 'href="/console/conversations?location_id=here&amp;status=waiting"' in answer.text
    assert re.search(r"Waiting 0 ", words(await operator.see("/locations/there")))


async def test_a_provider_is_tested_on_the_page(operator: Browser, redis: Redis) -> None:
    """The answer is shown there, in a live region; the question was about nobody."""
    with OtherSide(answering(http(200, {"run": {"output": "It <works>."}}))) as side:
        keep(redis, assistable={"assistant_id": "a", "token": "t", "url": f"{side.url}/x"})
        answer = await operator.submit("/locations/here/check-provider")
    assert re.search(r'<div id="checked" role="status".*assistable answered.*It &lt;works&gt;\.', answer.text, re.DOTALL)
    assert [each.document["contact_id"] for each in side.requests] == [NOBODY]


async def test_settings_are_exported_as_a_file(operator: Browser, redis: Redis) -> None:
    """The file is of one location or all, ready for `locations apply`."""
    keep(redis, "here", "there", ghl_token="very-secret")
    one, every = await operator.see("/locations/here/export"), await operator.see("/locations/export")
    assert one.headers["content-disposition"] == "attachment; filename*=UTF-8''here.toml"
    assert [each.id for each in read(one.text, {})] == ["here"]
    assert [each.id for each in read(every.text, {})] == ["here", "there"]
    assert "very-secret" not in every.text


async def test_an_installed_location_is_set_up(operator: Browser, redis: Redis) -> None:
    """It is in the list; its first settings answer with drafts, only for contacts with the tag."""
    keep(redis, "other")
    installs_of(redis).add(LocationId("here"), "")
    listed = await operator.see("/locations")
    assert "Set up here" in words(listed)
    assert "assistant id" in words(await operator.see("/locations/here"))
    done = await operator.submit("/locations/here/set-up", **SETUP)
    assert "Acme is set up" in words(done)
    kept = locations_of(redis).get(LocationId("here"))
    assert kept is not None
    location = kept.location
    assert (location.name, location.mode, location.provider, location.required_tags) == (
        "Acme",
        "draft",
        "assistable",
        ("ai_test",),
    )
    assert location.assistable.token is not None
    assert location.assistable.token.get_secret_value() == "very-secret"


FAULTS: dict[str, tuple[dict[str, str], str, str]] = {
    "an id is missing": ({"assistant_id": " "}, "assistant_id", "is needed"),
    "no token anywhere": ({"token": ""}, "token", "nor is ASSISTABLE_TOKEN set"),
    "an address without encryption": (
        {"provider": "webhook", "url": "http://n8n.example/webhook"},
        "url",
        "must begin with https://",
    ),
    "an address that is none": ({"provider": "webhook", "url": "n8n.example"}, "url", "must begin with https://"),
}


@pytest.mark.parametrize(("given", "field", "says"), FAULTS.values(), ids=FAULTS)
async def test_what_is_wrong_is_told_beside_its_field(
    operator: Browser, redis: Redis, given: dict[str, str], field: str, says: str
) -> None:
    """Nothing is changed, the input stays, and no token is sent back."""
    installs_of(redis).add(LocationId("here"), "")
    answer = await operator.submit("/locations/here/set-up", **{**SETUP, **given})
    assert answer.status_code == 422
    assert says in fault(answer, field)
    assert "Nothing was changed: 1 value is wrong or missing." in words(answer)
    assert 'value="Acme"' in answer.text
    assert "very-secret" not in answer.text
    assert locations_of(redis).ids() == ()


async def test_the_servers_token_is_enough(redis_url: str, redis: Redis) -> None:
    """A provider's token in the environment replaces the location's own."""
    installs_of(redis).add(LocationId("here"), "")
    async with opened(redis_url, ASSISTABLE_TOKEN="of-the-server") as browser:
        await browser.log_in()
        assert "is set up" in words(await browser.submit("/locations/here/set-up", **{**SETUP, "token": ""}))


async def test_every_provider_has_a_form(operator: Browser, redis: Redis) -> None:
    """It has the fields that the provider needs; an unknown provider is refused."""
    installs_of(redis).add(LocationId("here"), "")
    for provider, field in (
        ("openai", "model"),
        ("webhook", "url"),
        ("agencii", "api_integration_id"),
        ("agent_studio", "agent_id"),
    ):
        assert f'name="{field}"' in (await operator.see(f"/locations/here?provider={provider}")).text
    assert "Choose who answers" in words(await operator.submit("/locations/here/set-up", **{**SETUP, "provider": "nobody"}))
