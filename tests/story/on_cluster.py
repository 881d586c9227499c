"""The machine's processes on a cluster, with the machine's own Redis as broker, and contacts who write at a steady rate."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from bridge.errors import DidNotWork
from bridge.store.redis.connection import connect
from bridge.store.redis.partitions import PARTITIONS, partition_of, prefix_of
from infra.dev import cluster
from tests.keys import card
from tests.story.machine import poll
from tests.story.strait import Strait

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from infra.dev.cluster import Cluster
    from infra.dev.cluster_node import Node
    from tests.story.machine import Machine, Person

# GHL goes on for days; here longer than any node is away.
WEBHOOK_RETRIES = [0.5] * 20 + [1.0] * 100
QUICK = {"contact_lookup": False, "max_replies_per_day": 100_000}


def one_of_each_partition() -> tuple[str, ...]:
    """A location of each partition, in their order."""
    found: dict[int, str] = {}
    for number in count():
        found.setdefault(partition_of(f"Cluster{number}"), f"Cluster{number}")
        if len(found) == PARTITIONS:
            return tuple(found[at] for at in range(PARTITIONS))
    raise AssertionError


LOCATIONS = one_of_each_partition()


@dataclass(slots=True)
class OnCluster:
    """A cluster with everything on it; `people` are all who wrote, each of them once.

    `straits`, by the ports of the nodes, are the ways to these for clients and replicas. Between themselves nodes need none.
    `struck` is the location whose node is struck.
    """

    machine: Machine
    cluster: Cluster
    straits: dict[int, Strait]
    struck: str = LOCATIONS[0]
    people: list[Person] = field(default_factory=list)

    def node_of(self, location: str) -> Node:
        """The primary that has a location just now."""
        return self.cluster.primary_of(prefix_of(location))

    def node_of_or_none(self, location: str) -> Node | None:
        """The same; None while it has none."""
        try:
            return self.node_of(location)
        except DidNotWork:
            return None

    def accepts(self, location: str) -> float:
        """How long (s) it takes until a new webhook of a location is answered 202."""
        began = time.monotonic()
        person = self.machine.person(location)
        body = self.machine.webhook_of(person.says("Who is there?", webhook=False))
        poll(f"a webhook of {location} that is accepted", lambda: self.machine.post(body).status_code == 202, seconds=90)
        self.people.append(person)
        return time.monotonic() - began

    @contextmanager
    def writing(self, rate: float) -> Iterator[None]:
        """New contacts write while the block runs, so many a second, to all locations in turn."""
        over = threading.Event()
        began = time.monotonic()

        def write() -> None:
            for number in count():
                if over.wait(max(0.0, began + number / rate - time.monotonic())):
                    return
                person = self.machine.person(LOCATIONS[number % PARTITIONS])
                person.says("Who is there?", wait=False)
                self.people.append(person)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def all_are_answered_once(self) -> None:
        """As `answered_once`."""
        answered_once(self.machine, self.people)


def answered_once(machine: Machine, people: Sequence[Person], *, seconds: float = 120.0) -> None:
    """Wait until each has a reply and nothing is under way: then no more can come."""

    def replies() -> list[int]:
        posts = machine.sim.ask("counts")["posts"]["by_contact"]
        return [len(posts.get(each.id, ())) for each in people]

    def lacking() -> list[list[str]]:
        some = [each for each, count in zip(people, replies(), strict=True) if not count][:5]
        return [[each.location, *machine.story(each.id)] for each in some]

    poll("a reply to each", lambda: min(replies()) > 0, seconds=seconds, told=lacking)
    poll("nothing under way", lambda: not card(machine.redis, "inflight") and not card(machine.redis, "due"), seconds=seconds)
    assert Counter(replies()) == {1: len(people)}


def people_of(machine: Machine, count: int) -> list[Person]:
    """New contacts, of all locations in turn."""
    return [machine.person(LOCATIONS[number % PARTITIONS]) for number in range(count)]


@contextmanager
def pointed_at(machine: Machine, url: str, environ: Mapping[str, str], *, apply: bool = True) -> Iterator[None]:
    """The machine's receiver and worker with another state, started again there, and killed at the end."""
    before = machine.redis, dict(machine.environ)
    with connect(url) as redis:
        machine.redis = redis
        machine.environ |= {"REDIS_URL": url, **environ}
        machine.sim.order("defaults", retry_delays=WEBHOOK_RETRIES)
        try:
            if apply:
                machine.apply(**dict.fromkeys(LOCATIONS, QUICK))
            for name in ("web", "worker"):
                if machine.lives(name):
                    machine.kill(name)
                machine.start(name)
            machine.ready()
            yield
        finally:
            for name in ("worker", "web"):
                if machine.lives(name):
                    machine.kill(name)
            machine.redis, machine.environ = before


@contextmanager
def on_cluster(machine: Machine, folder: Path, environ: Mapping[str, str], *, program: Path | None = None) -> Iterator[OnCluster]:
    """Three primaries with a replica each, and the machine's Redis as broker."""
    with cluster_in_reach(folder, program=program) as (nodes, straits):
        own = {"BROKER_URL": machine.environ["REDIS_URL"], **environ}
        with pointed_at(machine, nodes.url, own):
            yield OnCluster(machine, nodes, straits)


@contextmanager
def cluster_in_reach(folder: Path, *, program: Path | None = None) -> Iterator[tuple[Cluster, dict[int, Strait]]]:
    """Three primaries with a replica each, and the ways to the nodes by their ports."""
    straits: dict[int, Strait] = {}
    with ExitStack() as stack:

        def announced(port: int) -> int:
            straits[port] = stack.enter_context(Strait(port))
            return straits[port].port

        yield stack.enter_context(cluster.running(folder, program=program, announced=announced)), straits
