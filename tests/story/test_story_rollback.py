"""A rollback of the state: a failover to a replica that lags, a restored copy, a FLUSHALL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.keys import key
from tests.story.machine import poll
from tests.story.two_servers import two_servers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.story.machine import Machine, Person
    from tests.story.two_servers import TwoServers

# A contact of whom no event told for so many replies: GHL's list is read instead (policy.guards).
DEAF = 20
SWEPT = {"reconcile_minutes": 0.05}


def replies(machine: Machine, people: Sequence[Person]) -> list[int]:
    posts = machine.sim.ask("counts")["posts"]["by_contact"]
    return [len(posts.get(each.id, ())) for each in people]


def all_have(people: Sequence[Person], count: int) -> None:
    """Wait until each has this many replies."""
    machine = people[0].machine
    poll(
        f"{count} replies each",
        lambda: min(replies(machine, people)) >= count,
        told=lambda: lacking(machine, people, count),
        seconds=60,
    )
    assert replies(machine, people) == [count] * len(people)


def lacking(machine: Machine, people: Sequence[Person], count: int) -> list[list[str]]:
    """The outcomes of those with fewer replies."""
    posts = machine.sim.ask("counts")["posts"]["by_contact"]
    return [machine.story(each.id) for each in people if len(posts.get(each.id, ())) < count]


@pytest.fixture
def two(machine: Machine, tmp_path: Path) -> Iterator[TwoServers]:
    """The machine's processes with their own two servers."""
    with two_servers(machine, tmp_path) as two:
        yield two


def test_a_replica_that_lags_takes_over(two: TwoServers) -> None:
    """What it lacks is found in GHL: none lost, none doubled, none silenced where no event reports sent messages.

    Slow: two servers, and the processes are started again.
    """
    lags_and_takes_over(two, count=8, events="off", **SWEPT)


@pytest.mark.nightly
@pytest.mark.parametrize("events", ["on", "off"])
def test_a_copy_put_back_doubles_nothing_and_silences_nobody(two: TwoServers, events: str) -> None:
    """Forty conversations in progress when the copy is made: one reply each, and each is answered at its next question."""
    location = two.location()
    people = at_work(two, location, count=40, events=events)
    two.falls_behind()
    all_have(people, 1)
    two.machine.sim.order("defaults", completion_seconds=0)
    two.takes_over()
    for each in people:
        each.says("And now?")
    all_have(people, 2)
    assert two.troubles() == ["State went back"]


@pytest.mark.nightly
@pytest.mark.parametrize("events", ["on", "off"])
def test_a_replica_that_lags_takes_over_under_load(two: TwoServers, events: str) -> None:
    """The same with eighty contacts, with and without events of sent messages."""
    lags_and_takes_over(two, count=40, events=events, **SWEPT)


@pytest.mark.nightly
def test_where_no_sweep_runs_a_command_finds_what_was_lost(two: TwoServers) -> None:
    """None is doubled; contacts whose messages were lost wait until an operator runs the problem's command."""
    location = two.location()
    people = at_work(two, location, count=40, events="on")
    two.falls_behind()
    later = two.people(location, 40)
    for each in later:
        each.says("Is anybody there?")
    all_have([*people, *later], 1)
    lost = two.people(location, 40)
    two.machine.sim.order("defaults", completion_seconds=30)
    for each in lost:
        each.says("Hello?")
    two.takes_over()
    two.machine.sim.order("defaults", completion_seconds=0)
    poll("an unswept location", lambda: "State went back" in two.troubles())
    done = two.machine.cli("reconcile", "--since", "1h")
    assert done.returncode == 0, done.stderr
    all_have([*people, *later, *lost], 1)


@pytest.mark.nightly
def test_an_emptied_redis_loses_and_doubles_nothing_once_the_location_is_applied(two: TwoServers) -> None:
    """FLUSHALL with 40 answered and 40 waiting: the worker knows its last sweep, and continues from there."""
    location = two.location(**SWEPT)
    two.swept(location)
    two.machine.sim.order("defaults", echo="off")
    before, waiting = two.people(location, 40), two.people(location, 40)
    for each in before:
        each.says("Who is there?")
    all_have(before, 1)
    two.machine.sim.order("defaults", completion_seconds=30)
    for each in waiting:
        each.says("And I?")
    two.machine.redis.flushall()
    two.machine.sim.order("defaults", completion_seconds=0)
    refused = two.people(location, 10)
    for each in refused:
        each.says("Anybody?")
    two.machine.apply(**{location: SWEPT})
    all_have([*before, *waiting, *refused], 1)
    for each in before:
        each.says("And now?")
    all_have(before, 2)


def test_a_planned_restart_raises_no_alarm(machine: Machine) -> None:
    """Redis ends during conversations and returns complete: they look into GHL, and no loss is reported."""
    people = [machine.person("Plain") for _ in range(6)]
    machine.sim.order("defaults", completion_seconds=1.0)
    for each in people:
        each.says("Who is there?")
    poll("completions", lambda: in_work(machine, people) == len(people))
    machine.stop("redis")
    machine.start("redis")
    all_have(people, 1)
    assert machine.redis.hkeys(key("rollback")) == ["at"]
    assert "State went back" not in machine.ready()["troubles"]


def lags_and_takes_over(two: TwoServers, *, count: int, events: str, **settings: Any) -> None:
    """Half of the contacts are in progress when the replica stops following; it lacks the others, answered or waiting."""
    location = two.location(**settings)
    two.swept(location)
    known = at_work(two, location, count=count, events=events)
    two.falls_behind()
    unknown = two.people(location, count)
    stopping = two.people(location, 1)[0]
    for each in unknown[: count // 2]:
        each.says("Is anybody there?")
    all_have([*known, *unknown[: count // 2]], 1)
    stopping.says("STOP")
    two.machine.sim.order("defaults", completion_seconds=30)
    for each in unknown[count // 2 :]:
        each.says("Is anybody there?")
    two.machine.sim.order("defaults", completion_seconds=0)
    two.takes_over()
    all_have([*known, *unknown], 1)
    stopping.says("Hello again?")
    for each in [*known, *unknown]:
        each.says("And now?")
    all_have([*known, *unknown], 2)
    assert stopping.replies == []
    assert two.troubles() == ["State went back"]


def at_work(two: TwoServers, location: str, *, count: int, events: str) -> list[Person]:
    """This many contacts have asked, and their completions run."""
    machine = two.machine
    machine.sim.order("defaults", echo=events, completion_seconds=1.0)
    if events == "off":
        machine.redis.hset(key("location", location), "unheard", DEAF)
    people = two.people(location, count)
    for each in people:
        each.says("Who is there?")
    poll("completions", lambda: in_work(machine, people) == min(len(people), int(machine.environ["WORKER_CONCURRENCY"])))
    return people


def in_work(machine: Machine, people: Sequence[Person]) -> int:
    """The number of them whose provider is, or was, called."""
    asked = machine.sim.ask("counts")["completions"]["by_contact"]
    return sum(each.id in asked for each in people)
