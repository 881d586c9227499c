"""Completion services from the webhook to the reply: each of them, outages, and a fallback."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from bridge.store.redis.partition_calls import gather, members
from tests.story.machine import poll

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.story.machine import Machine, Person

TABLES: dict[str, Callable[[str], dict[str, Any]]] = {
    "assistable": lambda url: {"url": f"{url}/v2/ghl/chat-completion"},
    "agencii": lambda url: {"url": f"{url}/get_response", "token": "sk-agencii-secret", "api_integration_id": "i"},
    "openai": lambda url: {"base_url": f"{url}/v1", "token": "sk-openai-secret", "model": "m", "system_prompt": "Be kind."},
    "agent_studio": lambda url: {"base_url": url, "token": "pit-studio-secret", "agent_id": "a1"},
    "webhook": lambda url: {"url": f"{url}/webhook/abc", "token": "n8n-secret", "header": "X-Secret"},
}
ENDPOINTS = {name: "assistable_help_page" if name == "assistable" else name for name in TABLES}


@pytest.mark.parametrize("provider", TABLES)
def test_each_service_answers_its_locations(machine: Machine, provider: str) -> None:
    """There is one completion and one reply per message, also with a fault between them."""
    machine.private |= {"sk-agencii-secret", "sk-openai-secret", "n8n-secret", "pit-studio-secret"}
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


def test_agent_studio_is_asked_in_one_session(machine: Machine) -> None:
    """The first question opens an execution, the second names it; the timeline has the agent and its evidence."""
    machine.apply(Studio={"provider": "agent_studio", "agent_studio": TABLES["agent_studio"](machine.sim.url)})
    ana = machine.person("Studio")
    for text in ("Do you open on Sunday?", "And on Monday?"):
        said = ana.says(text)
        assert ana.settles(said).status == "replied"
    first, second = (request["body"] for request in ana.requests("agent_studio"))
    assert "executionId" not in first
    [answered, *_] = [event for event in machine.explain(said["message_id"])["events"] if event["step"] == "answered"]
    assert (answered["evidence"]["agent"], answered["evidence"]["thread"]) == ("a1", second["executionId"])
    assert (len(ana.replies), ana.completions) == (2, 2)


def contacts(machine: Machine, location: str, count: int) -> list[Person]:
    return [machine.person(location) for _ in range(count)]


def finish(people: list[Person], said: list[dict[str, Any]]) -> list[str]:
    return [each.settles(one).status for each, one in zip(people, said, strict=True)]


def test_an_outage_longer_than_all_tries_loses_nothing(machine: Machine) -> None:
    """Every contact gets one reply soon after its end; it costs a few probes, no slot and no attempt.

    The tries of this machine last 1.4 s altogether, those of production three hours.
    """
    machine.apply(Outage={"provider": "webhook", "webhook": {"url": f"{machine.sim.url}/webhook/outage"}})
    people = contacts(machine, "Outage", 12)
    machine.sim.fault("webhook", {"kind": "status", "status": 503, "headers": {"Retry-After": "0"}})
    said = [each.says(f"Hello from {number}") for number, each in enumerate(people)]
    poll("an open circuit", lambda: members(machine.redis, "circuits:open"))
    poll("everybody waiting", lambda: sum(map(len, gather(machine.redis, "ZRANGE", "inflight", 0, -1))) <= 1)
    calls = machine.sim.ask("counts")["requests"]["webhook"]["503"]
    began = time.monotonic()
    poll("some probes", lambda: machine.sim.ask("counts")["requests"]["webhook"]["503"] >= calls + 4)
    late = machine.person("Outage")
    people, said = [*people, late], [*said, late.says("Is anybody there?")]
    assert machine.sim.ask("counts")["requests"]["webhook"]["503"] - calls <= (time.monotonic() - began) / 0.2 + 5
    waiting = sorted(machine.record(one["message_id"]).status for one in said[:-1])  # type: ignore[union-attr]
    # One at a time may be the probe just now.
    assert waiting[1:] == ["retrying"] * 11
    assert waiting[0] in {"answering", "retrying"}
    machine.sim.http.delete(f"{machine.sim.url}/_sim/faults")
    over = time.monotonic()
    assert set(finish(people, said)) == {"replied"}
    assert time.monotonic() - over < 5
    assert [len(each.replies) for each in people] == [1] * 13
    assert all(each.most_at_once == 1 for each in people)


def failing_over(machine: Machine, **assistable: Any) -> list[Person]:
    agencii = TABLES["agencii"](machine.sim.url)
    machine.apply(
        Pair={"provider_timeout_seconds": 3, "fallback_provider": "agencii", "agencii": agencii, "assistable": assistable}
    )
    return contacts(machine, "Pair", 6)


def test_the_fallback_answers_while_the_first_is_down(machine: Machine) -> None:
    """There is one reply each, mostly without a call to the provider; when that is back, it answers again."""
    people = failing_over(machine)
    machine.sim.fault("assistable", {"kind": "status", "status": 503, "headers": {"Retry-After": "0"}})
    for _ in range(3):
        said = [each.says("Anybody?") for each in people]
        assert set(finish(people, said)) == {"replied"}
    assert [len(each.replies) for each in people] == [3] * 6
    assert sum(len(each.requests("agencii")) for each in people) == 18
    machine.sim.http.delete(f"{machine.sim.url}/_sim/faults")
    poll("the first provider answering again", lambda: _answered_by_first(people))
    assert not members(machine.redis, "circuits:open")


def _answered_by_first(people: list[Person]) -> bool:
    finish(people, [each.says("And now?") for each in people])
    return any(request["status"] == 200 for each in people for request in each.requests("assistable"))


def test_never_both_answers(machine: Machine) -> None:
    """A provider that may deliver and then fails is checked before its fallback is called: one reply each."""
    people = failing_over(machine, delivery="auto", token="another-login")
    for each in people[::2]:
        each.fault("assistable", {"kind": "claim", "deliver": True}, {"kind": "cut", "when": "after"})
    for each in people[1::2]:
        each.fault("assistable", {"kind": "cut"})
    said = [each.says("Who answers?") for each in people]
    assert finish(people, said) == ["delivered_by_provider", "replied"] * 3
    delivered = machine.sim.ask("counts")["delivered_by_provider"]["by_contact"]
    assert [len(each.replies) + len(delivered.get(each.id, [])) for each in people] == [1] * 6
    assert [len(each.requests("agencii")) for each in people] == [0, 1] * 3


def test_a_location_whose_provider_hangs_stops_nobody_else(machine: Machine) -> None:
    """It has all slots of the workers; others are answered from the reserve without delay.

    When its provider is well again, its own contacts are answered too, once each.

    Slow: what hangs ends with the provider's timeout, which must be long beside what the others need on a busy machine.
    """
    hanging = {"url": f"{machine.sim.url}/webhook/hanging"}
    machine.apply(Hanging={"provider": "webhook", "webhook": hanging, "provider_timeout_seconds": 15}, Well={})
    crowd = contacts(machine, "Hanging", 30)
    machine.sim.fault("webhook", {"kind": "hang"}, location_id="Hanging")
    said = [each.says("Hello?") for each in crowd]
    poll("twenty completions that hang", lambda: len(machine.sim.ask("counts")["completions"]["in_flight"]) >= 20)
    began = time.monotonic()
    for _ in range(3):
        others = contacts(machine, "Well", 2)
        assert set(finish(others, [each.says("Me too") for each in others])) == {"replied"}
    assert time.monotonic() - began < 13
    assert [machine.record(one["message_id"]).status for one in said].count("replied") == 0  # type: ignore[union-attr]
    machine.sim.http.delete(f"{machine.sim.url}/_sim/faults")
    assert {each.settles(one, seconds=60).status for each, one in zip(crowd, said, strict=True)} == {"replied"}
    assert [len(each.replies) for each in crowd] == [1] * 30
