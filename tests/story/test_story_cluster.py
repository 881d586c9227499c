"""The state on three primaries with a replica each: whatever becomes of a node, each contact is answered exactly once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from bridge.store.redis.partitions import HOME
from infra.dev import cluster
from tests import torn_file
from tests.keys import key
from tests.stored import own_redis
from tests.story import cluster_strikes as strikes
from tests.story import rabbitmq
from tests.story.cluster_strikes import (
    back,
    freeze,
    kill,
    kill_before_a_lagging_replica,
    move_a_slot,
    restart_one_after_the_other,
    taken_over,
)
from tests.story.kills import so_many_begun
from tests.story.machine import poll
from tests.story.on_cluster import LOCATIONS, QUICK, answered_once, on_cluster, people_of, pointed_at
from tests.story.rabbitmq import RabbitMQ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.story.cluster_strikes import Note
    from tests.story.machine import Machine
    from tests.story.on_cluster import OnCluster

AT_HOME = LOCATIONS[0]
FAST = 40.0
CONFIRMED = {"BRIDGE_CONFIRM_REPLICAS": "1"}


def test_a_killed_primary(machine: Machine, tmp_path: Path, record_property: Note) -> None:
    """That of home, while contacts write: its replica takes over, and it comes back as a replica; each write is confirmed.

    Slow: a cluster, and the processes are started again; a replica takes over after some seconds.
    """
    with on_cluster(machine, tmp_path, CONFIRMED) as on:
        with on.writing(10):
            primary = on.cluster.primary_of(HOME)
            on.accepts(AT_HOME)
            primary.kill()
            taken_over(on, primary, record_property)
            is_named_as_without_a_replica(on)
            back(on, primary)
            record_property("accepted_after", round(on.accepts(AT_HOME), 1))
        on.all_are_answered_once()
        record_property("contacts", len(on.people))


def is_named_as_without_a_replica(on: OnCluster) -> None:
    """The node that has taken over accepts nothing, neither at first nor again, and readiness names it; the others do."""
    shard = on.node_of(AT_HOME).announced
    writer = on.machine.person(AT_HOME)
    body = on.machine.webhook_of(writer.says("Who is there?", webhook=False))
    assert [on.machine.post(body).status_code for _ in range(2)] == [429, 429]
    poll("its name", lambda: f"{shard}: 0 of 1 replicas" in on.machine.http.get(f"{on.machine.url}/readyz").json()["why"])
    on.accepts(LOCATIONS[-1])


def test_from_one_server_to_the_cluster(machine: Machine, tmp_path: Path) -> None:
    """What waits is answered once, and what is written meanwhile; an opt-out and a pause hold, and nobody starts on the old one.

    Slow: a server, a cluster, and the processes are started twice.
    """
    with own_redis(tmp_path / "old") as old, pointed_at(machine, old.url, {"BROKER_URL": machine.environ["REDIS_URL"]}):
        waiting, late, (stopped, paused) = people_of(machine, 8), people_of(machine, 4), people_of(machine, 2)
        assert stopped.settles(stopped.says("STOP")).reason == "stop_word"
        assert machine.cli("conversations", "pause", paused.id, "--new").returncode == 0
        machine.sim.order("defaults", completion_seconds=30.0)
        for each in waiting:
            each.says("Who is there?")
        poll("eight completions", lambda: so_many_begun(waiting, len(waiting)))
        machine.sim.order("defaults", completion_seconds=0)
        for name in ("web", "worker"):
            machine.stop(name)
        for each in late:
            each.says("And I?", wait=False)
        with cluster.running(tmp_path / "new", replicas=0) as new:
            # As after the minute for which a process counts as alive.
            machine.redis.delete(key("keys"), key("workers"), key("receiving"))
            done = machine.cli("move", "-", stdin=new.url)
            assert (done.returncode, done.stderr) == (0, "")
            assert "moved to another one" in machine.cli("locations", "list").stderr
            with pointed_at(machine, new.url, {}, apply=False):
                for each in (stopped, paused):
                    each.settles(each.says("Hello?"))
                answered_once(machine, [*waiting, *late])
                assert (stopped.replies, paused.replies) == ([], [])


@pytest.fixture(params=torn_file.SERVERS)
def on(request: pytest.FixtureRequest, machine: Machine, tmp_path: Path) -> Iterator[OnCluster]:
    """A cluster of each maker, whose writes are confirmed by a replica."""
    with on_cluster(machine, tmp_path, CONFIRMED, program=torn_file.program(request.param)) as found:
        yield found


def cut_off(on: OnCluster, note: Note) -> None:
    """A primary is cut off; what the others have is accepted meanwhile."""
    with strikes.cut_off(on):
        note("elsewhere_accepted_after", round(on.accepts(LOCATIONS[-1]), 1))


STRIKES = (kill, kill_before_a_lagging_replica, freeze, restart_one_after_the_other, move_a_slot, cut_off)


@pytest.mark.nightly
@pytest.mark.timeout(300)
@pytest.mark.parametrize("strike", STRIKES, ids=lambda strike: strike.__name__)
def test_a_strike_under_load(on: OnCluster, strike: Callable[[OnCluster, Note], None], record_property: Note) -> None:
    """Forty messages a second: none is lost, none doubled, and a new one is accepted soon."""
    strike_under_load(on, strike, record_property)


@pytest.mark.nightly
@pytest.mark.timeout(300)
def test_a_lagging_replica_takes_over_unconfirmed(machine: Machine, tmp_path: Path, record_property: Note) -> None:
    """Nobody waits for replicas, so what was accepted last is lost: the sweep finds it, and nobody is answered twice."""
    with on_cluster(machine, tmp_path, {}) as on:
        machine.apply(**{one: {**QUICK, "reconcile_minutes": 0.05} for one in LOCATIONS})
        poll("sweeps", lambda: all(machine.redis.hget(key("sweep", one), "since") for one in LOCATIONS))
        strike_under_load(on, kill_before_a_lagging_replica, record_property)
        assert "State went back" in machine.http.get(f"{machine.url}/readyz").json()["troubles"]


@pytest.mark.nightly
@pytest.mark.timeout(300)
@pytest.mark.skipif(rabbitmq.find() is None, reason="no rabbitmq-server: `apt-get install rabbitmq-server` installs one")
def test_a_killed_primary_beside_rabbitmq(machine: Machine, tmp_path: Path, record_property: Note) -> None:
    """The wake-ups are in a quorum queue of a RabbitMQ."""
    rabbit = RabbitMQ(tmp_path / "rabbitmq")
    rabbit.start()
    try:
        with on_cluster(machine, tmp_path / "cluster", {"BROKER_URL": rabbit.url, **CONFIRMED}) as on:
            strike_under_load(on, kill, record_property)
            assert rabbit.queues()[machine.queue] == "quorum"
    finally:
        rabbit.stop()


def strike_under_load(on: OnCluster, strike: Callable[[OnCluster, Note], None], note: Note) -> None:
    """Strike while contacts write, and count."""
    began = time.monotonic()
    with on.writing(FAST):
        time.sleep(3)
        strike(on, note)
        note("accepted_after", round(on.accepts(AT_HOME), 1))
        time.sleep(3)
    note("seconds", round(time.monotonic() - began))
    on.all_are_answered_once()
    note("contacts", len(on.people))
