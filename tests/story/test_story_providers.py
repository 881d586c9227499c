"""Locations with other completion services than Assistable's older form, from the webhook to the reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.story.machine import Machine

TABLES: dict[str, Callable[[str], dict[str, Any]]] = {
    "assistable": lambda url: {"url": f"{url}/v2/ghl/chat-completion"},
    "agencii": lambda url: {"url": f"{url}/get_response", "token": "sk-agencii-secret", "api_integration_id": "i"},
    "openai": lambda url: {"base_url": f"{url}/v1", "token": "sk-openai-secret", "model": "m", "system_prompt": "Be kind."},
    "webhook": lambda url: {"url": f"{url}/webhook/abc", "token": "n8n-secret", "header": "X-Secret"},
}
ENDPOINTS = {"assistable": "assistable_help_page", "agencii": "agencii", "openai": "openai", "webhook": "webhook"}


@pytest.mark.parametrize("provider", TABLES)
def test_each_service_answers_its_locations(machine: Machine, provider: str) -> None:
    """One completion and one reply for each message, a fault between them included."""
    machine.private |= {"sk-agencii-secret", "sk-openai-secret", "n8n-secret"}
    location = f"At-{provider}"
    machine.apply(**{location: {"provider": provider, provider: TABLES[provider](machine.sim.url)}})
    ana = machine.person(location)
    first = ana.settles(ana.says(f"Is {provider} open today?"))
    machine.sim.fault(ENDPOINTS[provider], {"kind": "status", "status": 503, "headers": {"Retry-After": "0"}}, times=1)
    second = ana.settles(ana.says(f"And what does {provider} cost?"))
    assert [first.status, second.status] == ["replied"] * 2
    assert (len(ana.replies), ana.completions, len(ana.requests(ENDPOINTS[provider]))) == (2, 3, 3)
    assert f'"Is {provider} open today?"' in ana.replies[0]
    assert f"And what does {provider} cost?" in ana.replies[1]
