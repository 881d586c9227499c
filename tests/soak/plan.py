"""The plan of a soak: messages and kills with their times. The same seed gives the same plan, for any bridge."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection

Kind = Literal[
    "no strike",
    "worker killed",
    "receiver killed",
    "Redis killed",
    "Redis killed while it writes",
    "Redis' clock jumps",
    "worker frozen past its lease",
    "receiver frozen",
    "Redis frozen",
    "worker restarted",
    "receiver restarted",
    "worker cut off from Redis",
    "Redis read-only",
    "Redis full",
    "Redis unable to save",
    "Redis without its primary",
    "Redis without its replicas",
    "Redis busy with a script",
    "Redis fails over",
    "posts cut before their effect",
    "posts cut after their effect",
    "posts answered 500",
    "posts answered 429",
    "contacts answered 500",
    "completions answered 500",
    "queue deleted",
    "primary killed",
    "primary killed before a lagging replica",
    "primary frozen",
    "primary cut off",
    "nodes restarted",
    "slot moved",
]

LEASE_SECONDS = 3.0
WARM_UP_SECONDS = 5.0
WORKERS = ("worker", "worker-2")
RECEIVERS = ("web", "web-2")
REDIS = ("redis",)
# How often each kind comes up in one round.
WEIGHTS: dict[Kind, int] = {
    "worker killed": 3,
    "receiver killed": 2,
    "Redis killed": 2,
    "Redis killed while it writes": 1,
    "Redis' clock jumps": 1,
    "worker frozen past its lease": 2,
    "receiver frozen": 1,
    "Redis frozen": 1,
    "worker restarted": 2,
    "receiver restarted": 1,
    "worker cut off from Redis": 2,
    "Redis read-only": 1,
    "Redis full": 1,
    "Redis unable to save": 1,
    "Redis without its primary": 1,
    "Redis without its replicas": 1,
    "Redis busy with a script": 1,
    "Redis fails over": 2,
    "posts cut before their effect": 1,
    "posts cut after their effect": 1,
    "posts answered 500": 1,
    "posts answered 429": 1,
    "contacts answered 500": 1,
    "completions answered 500": 1,
    "queue deleted": 2,
}
# Those of a cluster (tests/soak/clustered.py).
CLUSTER_WEIGHTS: dict[Kind, int] = {
    "primary killed": 3,
    "primary killed before a lagging replica": 2,
    "primary frozen": 1,
    "primary cut off": 1,
    "nodes restarted": 1,
    "slot moved": 1,
}
# Each ends when the cluster is whole again, which takes about so many seconds.
CLUSTER_SECONDS: dict[Kind, float] = {
    "primary killed": 10.0,
    "primary killed before a lagging replica": 11.0,
    "primary frozen": 32.0,
    "primary cut off": 12.0,
    "nodes restarted": 20.0,
    "slot moved": 7.0,
}
TARGETS: dict[Kind, tuple[str, ...]] = {
    **dict.fromkeys(CLUSTER_WEIGHTS, ("cluster",)),
    "worker killed": WORKERS,
    "receiver killed": RECEIVERS,
    "Redis killed": REDIS,
    "Redis killed while it writes": REDIS,
    "Redis' clock jumps": REDIS,
    "worker frozen past its lease": WORKERS,
    "receiver frozen": RECEIVERS,
    "Redis frozen": REDIS,
    "worker restarted": WORKERS,
    "receiver restarted": RECEIVERS,
    "worker cut off from Redis": WORKERS,
    "Redis read-only": REDIS,
    "Redis full": REDIS,
    "Redis unable to save": REDIS,
    "Redis without its primary": REDIS,
    "Redis without its replicas": REDIS,
    "Redis busy with a script": REDIS,
    "Redis fails over": REDIS,
    "queue deleted": REDIS,
}
# What sixteen seconds have time for.
SHORT: tuple[Kind, ...] = (
    "worker killed",
    "receiver killed",
    "Redis killed",
    "worker frozen past its lease",
    "worker restarted",
    "receiver restarted",
    "posts cut before their effect",
    "posts cut after their effect",
    "posts answered 500",
    "completions answered 500",
    "queue deleted",
)
# Those of which a worker's lease lapses.
LONG = frozenset({"worker frozen past its lease", "worker cut off from Redis"})
# Until a process that was started again is taken for a new target.
START_SECONDS = 3.0
# Until two servers have changed their roles twice, on a busy machine too.
FAILOVER_SECONDS = 10.0
MARK = re.compile(r"#(\d+-\d+)")
WORDS = ("Are you open today?", "What does it cost?", "And on Sunday?", "Thanks!", "Where are you?", "Can I bring my dog?")


@dataclass(frozen=True, slots=True)
class Line:
    """One message: its time (s), the number of its contact, its own mark, which no other text has, and its text."""

    at: float
    contact: int
    mark: str
    text: str
    completion_seconds: float


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault: the process, and its number of seconds or requests."""

    at: float
    kind: Kind
    target: str = ""
    seconds: float = 0.0
    times: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole soak. Contacts after the first `writers` are probes, one for each strike."""

    seed: int
    seconds: float
    writers: int
    lines: tuple[Line, ...]
    strikes: tuple[Strike, ...]


def plan(
    *,
    seed: int,
    seconds: float,
    rate: float = 12.0,
    writers: int = 60,
    pauses: tuple[float, float] = (2.0, 8.0),
    kinds: Collection[Kind] = tuple(WEIGHTS),
) -> Plan:
    """Make a plan: `rate` messages a second, and a strike of these kinds after each pause (s)."""
    randomness = Random(seed)
    strikes = _strikes(randomness, seconds, pauses, kinds)
    lines = _lines(randomness, seconds, rate, writers)
    return Plan(seed, seconds, writers, tuple(lines), tuple(strikes))


def probe(contact: int) -> Line:
    """The message of a probe."""
    mark = f"{contact:03}-0001"
    return Line(0, contact, mark, f"#{mark} Is anybody there?", 1.0)


def _lines(randomness: Random, seconds: float, rate: float, writers: int) -> list[Line]:
    moments: list[tuple[float, int]] = []
    at = 0.0
    while at < seconds:
        contact = randomness.randrange(writers)
        moments.append((at, contact))
        # Every third one goes on writing while the first message is being answered.
        moments += [(at + randomness.uniform(0.05, 2.5), contact) for _ in range(randomness.choice((0, 0, 0, 0, 1, 2)))]
        at += randomness.expovariate(rate / 1.5)
    written = [0] * writers
    lines = []
    for moment, contact in sorted(one for one in moments if one[0] < seconds):
        written[contact] += 1
        mark = f"{contact:03}-{written[contact]:04}"
        text = f"#{mark} {randomness.choice(WORDS)}"
        lines.append(Line(moment, contact, mark, text, randomness.uniform(0.6, 1.4)))
    return lines


def _strikes(randomness: Random, seconds: float, pauses: tuple[float, float], kinds: Collection[Kind]) -> list[Strike]:
    strikes = [Strike(at, "no strike") for at in (1.0, 2.0, 3.0)]
    busy = dict.fromkeys((*WORKERS, *RECEIVERS, "redis", "cluster"), 0.0)
    bag: list[Kind] = []
    at = WARM_UP_SECONDS
    while at < seconds:
        bag = bag or _shuffled(randomness, kinds)
        strike = next(
            (_strike(randomness, at, kind, target) for kind in bag if (target := _target(randomness, at, kind, busy))), None
        )
        if strike:
            bag.remove(strike.kind)
            if strike.kind != "queue deleted":
                after = FAILOVER_SECONDS if strike.kind == "Redis fails over" else START_SECONDS
                busy[strike.target] = at + strike.seconds + after
            strikes.append(strike)
        at += randomness.uniform(*pauses)
    return strikes


def _shuffled(randomness: Random, kinds: Collection[Kind]) -> list[Kind]:
    bag = [kind for kind, weight in (WEIGHTS | CLUSTER_WEIGHTS).items() if kind in kinds for _ in range(weight)]
    randomness.shuffle(bag)
    return bag


def _target(randomness: Random, at: float, kind: Kind, busy: dict[str, float]) -> str:
    """A running process at that time; posts and completions are targets too."""
    if kind not in TARGETS:
        return kind.partition(" ")[0]
    free = [name for name in TARGETS[kind] if busy[name] <= at]
    return randomness.choice(free) if free else ""


def _strike(randomness: Random, at: float, kind: Kind, target: str) -> Strike:
    if kind not in TARGETS:
        return Strike(at, kind, target, times=randomness.randint(1, 5))
    if kind == "queue deleted":
        return Strike(at, kind, target)
    if kind in CLUSTER_SECONDS:
        return Strike(at, kind, target, seconds=CLUSTER_SECONDS[kind])
    long = kind in LONG
    return Strike(
        at,
        kind,
        target,
        seconds=randomness.uniform(LEASE_SECONDS + 0.5, LEASE_SECONDS + 2) if long else randomness.uniform(0.5, 2),
    )
