"""One seed, one schedule: contacts write for days, workers start and stop, and all calls sometimes fail, by one clock.

A walk that breaks a promise is made smaller, event by event and fault by fault, until what is left is needed to break it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any

from tests.proof.checker import faults_in
from tests.proof.faults import ARRIVALS, OF_LANES, Fault, Stuck, faults_of
from tests.proof.shapes import ASSISTABLE, POST, replay
from tests.proof.simulation import Simulation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.proof.machine import Machine

HOURS = 48.0
# The number of periods with faults, and how much happens in each.
TIMES, AT_A_TIME, CONTACTS, APART_SECONDS = 24, 5, 2, 15.0
# One call in this many has a fault.
RARE = 12
# ... and one fault in this many is a new message.
SELDOM = 6
COMING = (Fault.STOP, Fault.PERSON, Fault.NEWER, Fault.NEWER, Fault.NEWER, Fault.ECHO, Fault.ECHO)
MOST_WITHIN = 2
MOST_REPLAYS = 3

WORLDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "fallback": {"fallback_provider": "agencii"},
    "long answers": {},
    "drafts": {"mode": "draft"},
    "provider delivers": {"assistable": {"delivery": "auto"}},
    "hours": {"business_hours": ["mon-fri 09:00-17:00"], "outside_hours": "silent"},
    "hours, deferred": {"business_hours": ["mon-fri 09:00-17:00"], "outside_hours": "defer", "max_age_seconds": 200_000},
    "sweeps": {"reconcile_minutes": 10},
}
# What happens between calls, and how often.
KINDS = ("write",) * 12 + ("burst", "again", "late", "unheard", "stop", "person", "down", "limited", "failing", "slow")
FAILING: dict[str, Callable[[], dict[str, list[int]]]] = {
    "down": lambda: {ASSISTABLE: [503] * 12},
    "limited": lambda: {POST: [429] * 3},
}
PLANNED: dict[str, Callable[[], dict[str, list[Fault]]]] = {
    "failing": lambda: {POST: [Fault.ERROR, Fault.ERROR_DONE, Fault.LOST]},
    "slow": lambda: {POST: [Fault.LATE] * 2},
}


@dataclass(frozen=True, slots=True)
class Event:
    """An event at a time (s), of a kind and a contact; `id` is the message's."""

    at: float
    kind: str
    contact: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The events, and which calls have which fault; `faults` None: chosen by the seed."""

    seed: int
    world: str
    events: tuple[Event, ...]
    faults: Mapping[int, Fault] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Broken guarantees and faults of a walk, its number of calls, and its duration (s) by its clock.

    `moments` are the texts that GHL holds, each with its date (ms).
    """

    broken: Sequence[str]
    struck: Mapping[int, Fault] = field(default_factory=dict)
    calls: int = 0
    seconds: float = 0.0
    moments: Sequence[tuple[str, int]] = ()


def walk_of(seed: int) -> Walk:
    """The walk of a seed."""
    chance = Random(seed)
    world = sorted(WORLDS)[seed % len(WORLDS)]
    events = [event for number in range(TIMES) for event in _a_while(chance, number)]
    events.sort(key=lambda event: event.at)
    return Walk(seed=seed, world=world, events=tuple(events))


def _a_while(chance: Random, number: int) -> Iterator[Event]:
    """Contacts that write only in this period, within about a minute, with faults in the meantime."""
    start = chance.uniform(0, HOURS * 3600)
    contacts = [f"c{number}-{each}" for each in range(CONTACTS)]
    for each in range(AT_A_TIME):
        at = start + chance.uniform(0, APART_SECONDS * AT_A_TIME)
        yield Event(round(at, 1), chance.choice(KINDS), chance.choice(contacts), f"w{number}x{each}")


def take(machine: Machine, walk: Walk) -> Outcome:
    """Run the walk, and check its result."""
    run = Simulation(machine, _planned(walk.faults or {}))
    if walk.faults is None:
        run.front.choose = _by_chance(walk.seed, run)
    run.arrives_for = lambda: next((row.contact for row in reversed(run.far.record.rows)), "nobody yet")
    _settle_in(run, walk.world)
    run.planned = [(event.at, _done(event)) for event in walk.events]
    try:
        broken = faults_in(run.run())
    except Stuck as stuck:
        broken = [str(stuck), *faults_in(run.far.record)]
    machine.renew_wire()
    moments = [(row.text, row.at_ms) for row in run.far.record.rows]
    return Outcome(broken, run.front.struck, len(run.front.calls), run.clock.seconds, moments)


def shrink(machine: Machine, walk: Walk, outcome: Outcome) -> Walk:
    """The smallest walk found that also breaks a guarantee."""
    walk = replace(walk, faults=dict(outcome.struck))

    def breaks(smaller: Walk) -> bool:
        return bool(take(machine, smaller).broken)

    for fewer in (_fewer_events, _fewer_faults, _fewer_events):
        size = max(1, max(len(walk.events), len(walk.faults or {})) // 2)
        while size:
            smaller = next((one for one in fewer(walk, size) if breaks(one)), None)
            walk, size = (smaller, size) if smaller else (walk, size // 2)
    return walk


def _fewer_events(walk: Walk, size: int) -> Iterator[Walk]:
    for at in range(0, len(walk.events), size):
        yield replace(walk, events=walk.events[:at] + walk.events[at + size :])


def _fewer_faults(walk: Walk, size: int) -> Iterator[Walk]:
    faults = list((walk.faults or {}).items())
    for at in range(0, len(faults), size):
        yield replace(walk, faults=dict(faults[:at] + faults[at + size :]))


def _settle_in(run: Simulation, world: str) -> None:
    run.apply(takeover_seconds=-1, **WORLDS[world])
    run.sweeps = world == "sweeps"
    run.far.manner.pieces = 3 if world == "long answers" else 1
    run.far.manner.delivers = world == "provider delivers"
    if "business_hours" in WORLDS[world]:
        run.far.record.hours = (9 * 60, 17 * 60)
    left = [MOST_REPLAYS]

    def operate(run: Simulation) -> bool:
        left[0] -= 1
        return left[0] >= 0 and replay(run)

    run.operate = operate


def _planned(faults: Mapping[int, Fault]) -> Callable[[int, str], Fault | None]:
    return lambda number, _: faults.get(number)


def _by_chance(seed: int, run: Simulation) -> Callable[[int, str], Fault | None]:
    chance = Random(seed + 2)

    def choose(_: int, place: str) -> Fault | None:
        if chance.randrange(RARE) or run.depth >= MOST_WITHIN:
            return None
        if not chance.randrange(SELDOM):
            return chance.choice(COMING)
        known = [fault for fault in faults_of(place) if fault not in ARRIVALS | {Fault.REFUSED}]
        return chance.choice([*known, *OF_LANES] if place.endswith("*") else known)

    return choose


def _done(event: Event) -> Callable[[Simulation], object]:
    return lambda run: _do(run, event)


def _do(run: Simulation, event: Event) -> None:
    """Do an event."""
    words = f"Is it open on day {len(run.far.record.rows)}? [{event.id}]"
    match event.kind:
        case "burst":
            for number in range(3):
                run.write(f"{event.id}b{number}", contact=event.contact, text=f"{words[:-1]}b{number}]", after=0.3 * number)
        case "stop":
            run.write(event.id, contact=event.contact, text="STOP")
        case "person":
            run.far.say(event.contact, "I am on it myself")
        case "down" | "limited":
            run.far.failing |= FAILING[event.kind]()
        case "failing" | "slow":
            run.far.planned |= PLANNED[event.kind]()
        case _:
            heard = event.kind != "unheard" or not run.sweeps
            run.write(event.id, contact=event.contact, text=words, after=40.0 if event.kind == "late" else 0.2, heard=heard)
            if event.kind == "again":
                run.queue.append(replace(run.queue[-1], at=run.clock.seconds + 30))
