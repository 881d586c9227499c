"""The agent asks for a person: the contact is informed once, staff sees why, and only a person or `resume` continues."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bridge.simulator.answers import HANDOVER_NOTE
from tests.story.machine import poll

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.story.machine import Machine, Person

MESSAGE = "A colleague will write to you soon."
TABLES: dict[str, Callable[[str], dict[str, Any]]] = {
    "assistable": lambda _: {},
    "openai": lambda url: {"base_url": f"{url}/v1", "token": "sk-openai-secret", "model": "m"},
    "webhook": lambda url: {"url": f"{url}/webhook/abc"},
}
COMMENT = f"The AI agent asks for a person: {HANDOVER_NOTE}"


def location(machine: Machine, provider: str, **handover: Any) -> str:
    machine.private |= {"sk-openai-secret", MESSAGE, HANDOVER_NOTE}
    name = f"Handover-{provider}-{len(handover)}"
    settings = {"provider": provider, "handover": {"marker": "[[H]]", **handover}}
    machine.apply(**{name: settings if provider == "assistable" else {**settings, provider: TABLES[provider](machine.sim.url)}})
    return name


def asking(machine: Machine, provider: str, **handover: Any) -> Person:
    """A contact whose first message lets the agent ask for a person."""
    ana = machine.person(location(machine, provider, **handover))
    machine.sim.fault(provider, {"kind": "answer", "form": "handover"}, times=1)
    return ana


@pytest.mark.parametrize("provider", TABLES)
def test_the_contact_is_told_once_and_left_to_people(machine: Machine, provider: str) -> None:
    """One completion, one message, one tag, one assignment; the next message costs nothing, until somebody resumes."""
    ana = asking(machine, provider, message=MESSAGE, tag="needs_person", assign_to="user1")
    first = ana.settles(ana.says("I want to talk to a person"))
    second = ana.settles(ana.says("Hello?"))
    assert [(one.status, one.reason) for one in (first, second)] == [("replied", ""), ("skipped", "human_takeover")]
    assert (ana.replies, ana.completions) == ([MESSAGE], 1)
    assert ana.comments == ([] if provider == "assistable" else [COMMENT])
    assert [one["body"] for one in ana.requests("add_tags")] == [{"tags": ["needs_person"]}]
    assert [one["body"] for one in ana.requests("update_contact")] == [{"assignedTo": "user1"}]
    waiting = json.loads(machine.cli("conversations", "handovers", "--location", ana.location, "--json").stdout)
    assert [one["contact_id"] for one in waiting] == [ana.id]
    assert machine.cli("conversations", "resume", ana.id).returncode == 0
    third = ana.settles(ana.says("Can the bot help again?"))
    assert (third.status, len(ana.replies), ana.completions) == ("replied", 2, 2)
    assert json.loads(machine.cli("conversations", "handovers", "--location", ana.location, "--json").stdout) == []


def test_a_marker_is_cut_off(machine: Machine) -> None:
    """The text before it is the reply; nothing else is sent."""
    ana = machine.person(location(machine, "assistable"))
    ana.fault("assistable", {"kind": "text", "text": "Of course, a colleague will write.\n[[H]]"}, times=1)
    first = ana.settles(ana.says("I want to talk to a person"))
    second = ana.settles(ana.says("Hello?"))
    assert (first.status, second.reason) == ("replied", "human_takeover")
    assert (ana.replies, ana.completions) == (["Of course, a colleague will write."], 1)


def test_silence_has_its_reason(machine: Machine) -> None:
    """Without a text of the agent and without a message nothing is sent, and `explain` says why."""
    ana = asking(machine, "openai")
    said = ana.says("I want to talk to a person")
    ana.settles(said)
    told = machine.explain(said["message_id"])
    assert [(one["status"], one["reason"]) for one in told["messages"]] == [("no_reply", "handover")]
    assert "handover" in [event["step"] for event in told["events"]]
    assert (ana.replies, ana.comments, ana.completions) == ([], [COMMENT], 1)
    assert HANDOVER_NOTE not in json.dumps(told)


def test_a_worker_that_dies_after_the_message_says_it_once(machine: Machine) -> None:
    """If it is killed while GHL stores the message, the next worker finds it there, and leaves the contact to people."""
    ana = asking(machine, "webhook", message=MESSAGE, tag="needs_person")
    ana.fault("post", {"kind": "hang"}, times=1)
    said = ana.says("I want to talk to a person")
    poll("the post", lambda: ana.requests("post"))
    machine.kill("worker")
    machine.start("worker")
    assert ana.settles(said, seconds=60).status == "replied"
    assert ana.settles(ana.says("Hello?")).reason == "human_takeover"
    assert (ana.replies, ana.completions, ana.comments) == ([MESSAGE], 1, [COMMENT])
