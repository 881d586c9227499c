"""What happened is counted once, and any receiver shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families as parse

from tests.story.machine import poll

if TYPE_CHECKING:
    from tests.story.machine import Machine


def told(machine: Machine, url: str = "") -> dict[str, float]:
    """Every sample by its name and its labels."""
    return {
        " ".join([sample.name, *(value for _, value in sorted(sample.labels.items()) if value)]): sample.value
        for family in parse(machine.http.get(f"{url or machine.url}/metrics").text)
        for sample in family.samples
    }


def test_any_receiver_tells_what_all_processes_did(machine: Machine) -> None:
    """A reply, its requests and its webhook are counted once, and a worker's counts survive its end."""
    # What a process did for an earlier story is counted by its end at the latest.
    machine.stop("web")
    assert machine.stop("worker") == 0
    machine.start("web")
    machine.start("worker")
    machine.ready()
    other = machine.start_second_receiver()
    before = told(machine)
    person = machine.person("Plain")
    person.settles(person.says("hello"))
    assert machine.post(b"{}", {}).status_code == 401
    assert machine.stop("worker") == 0
    expected = {
        "ghl_bridge_messages_accepted_total": 1,
        "ghl_bridge_messages_total replied": 1,
        "ghl_bridge_reply_duration_seconds_count": 1,
        "ghl_bridge_tries_total ended": 1,
        "ghl_bridge_webhooks_total accepted": 1,
        "ghl_bridge_webhooks_total unauthorized": 1,
        "ghl_bridge_webhook_duration_seconds_count": 1,
        "ghl_bridge_ghl_request_duration_seconds_count 2xx POST /conversations/messages": 1,
        "ghl_bridge_ghl_request_duration_seconds_count 2xx GET /contacts/{id}": 1,
        "ghl_bridge_provider_request_duration_seconds_count 2xx assistable": 1,
    }

    def counted() -> dict[str, float]:
        now = told(machine)
        return {name: now.get(name, 0) - before.get(name, 0) for name in expected}

    poll("the counts of one message", lambda: counted() == expected, told=counted)
    both = [{name: count for name, count in told(machine, url).items() if "conversations" not in name} for url in ("", other)]
    assert both[0] == both[1]
