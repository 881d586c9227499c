"""A worker that is killed during completions, for every broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.story.machine import poll

if TYPE_CHECKING:
    from tests.story.machine import Machine, Person


def all_in_flight(people: list[Person]) -> bool:
    """Whether each of them has, or had, a completion in progress."""
    asked = people[0].machine.sim.ask("counts")["completions"]["by_contact"]
    return all(asked.get(each.id) for each in people)


def so_many_begun(people: list[Person], many: int) -> bool:
    """Whether this many of them have, or had, a completion in progress."""
    asked = people[0].machine.sim.ask("counts")["completions"]["by_contact"]
    return sum(1 for each in people if asked.get(each.id)) >= many


def kill_amid_twenty_completions(machine: Machine) -> None:
    """Kill the worker during twenty completions and start another: each contact is answered once, by a second completion."""
    people = [machine.person("Plain") for _ in range(20)]
    machine.sim.order("defaults", completion_seconds=3.0)
    said = [each.says("Will you be back?") for each in people]
    poll("twenty completions in flight", lambda: all_in_flight(people))

    machine.kill("worker")
    machine.start("worker")

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 20
    assert [(len(each.replies), each.completions, each.most_at_once) for each in people] == [(1, 2, 1)] * 20
