"""The registry: missing settings of a location are named, and a provider is not called where that is not allowed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.completion.providers import SERVICES
from bridge.errors import OperatorMustFix
from bridge.locations import Location
from bridge.settings import from_environment
from bridge.wiring import build_providers
from tests.completion.asked import PROVIDERS, QUESTION, Provider
from tests.other_side import OtherSide, answering, http

BY_NAME = {one.name: one for one in PROVIDERS}


def location(provider: str, table: dict[str, Any]) -> Location:
    return Location.model_validate({"id": "loc", "provider": provider, provider: table})


def test_every_provider_of_the_file_is_served() -> None:
    """Every provider that a location can name is in the registry, and passes the contract tests."""
    assert set(SERVICES) == set(BY_NAME) == set(Location.model_fields["provider"].annotation.__args__)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("provider", "table", "missing"),
    [
        ("assistable", {"token": "t"}, r"assistable\.assistant_id"),
        ("assistable", {"assistant_id": "a"}, "nor is ASSISTABLE_TOKEN set"),
        ("agencii", {"token": "t"}, r"agencii\.api_integration_id"),
        ("agencii", {"api_integration_id": "i"}, "nor is AGENCII_TOKEN set"),
        ("openai", {"base_url": "https://x"}, r"openai\.model"),
        ("openai", {"model": "m"}, r"openai\.base_url"),
        ("webhook", {}, r"webhook\.url"),
    ],
)
def test_what_a_location_lacks_is_named(provider: str, table: dict[str, Any], missing: str) -> None:
    """The key is named before any call."""
    providers = build_providers(from_environment({}))
    with pytest.raises(OperatorMustFix, match=missing):
        providers(location(provider, table), provider, may_deliver=False)


def test_the_environment_gives_defaults() -> None:
    """They are URL and token of the two services that have them; a location's own have priority."""
    environ = {
        "ASSISTABLE_TOKEN": "env",
        "ASSISTABLE_URL": "https://env/x/",
        "AGENCII_TOKEN": "env",
        "AGENCII_URL": "https://env/y/",
    }
    providers = build_providers(from_environment(environ))
    assistable = providers.service(location("assistable", {"assistant_id": "a"}), "assistable")
    agencii = providers.service(location("agencii", {"api_integration_id": "i"}), "agencii")
    own = providers.service(location("agencii", {"api_integration_id": "i", "token": "own", "url": "https://own"}), "agencii")
    assert [(one.url, one.headers["Authorization"]) for one in (assistable, agencii, own)] == [
        ("https://env/x/", "Bearer env"),
        ("https://env/y/", "Bearer env"),
        ("https://own", "Bearer own"),
    ]


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda one: f"{one.name} {one.path}")
def test_a_url_that_leads_inside_is_asked_only_where_that_is_meant(provider: Provider) -> None:
    """Plain http to a name is refused before the connection, a private address at it; the setting allows both."""
    with OtherSide(answering(http(200, provider.answer("hello")))) as server:
        # A name, not an address: only the system's look-up makes this machine of it.
        inside = provider.location(f"http://127.1:{server.port}")
        refusing, allowing = (build_providers(from_environment({"BRIDGE_ALLOW_PRIVATE_URLS": flag})) for flag in ("0", "1"))
        with pytest.raises(OperatorMustFix, match="must begin with https://"):
            refusing(inside, provider.name, may_deliver=False)
        guarded = replace(refusing, settings=allowing.settings)(inside, provider.name, may_deliver=False)
        with pytest.raises(OperatorMustFix, match="a loopback address"):
            guarded.complete(QUESTION, seconds=5)
        assert server.connections == 0
        assert allowing(inside, provider.name, may_deliver=False).complete(QUESTION, seconds=5).text == "hello"
