"""Strikes against the nodes of a cluster; each ends when the cluster is complete again, after seconds or half a minute.

A strike hits the primary that serves the location `struck`.
"""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from redis.crc import key_slot

from bridge.store.redis.partitions import prefix_of
from infra.dev import cluster
from tests.story.machine import poll

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.dev.cluster_node import Node
    from tests.story.on_cluster import OnCluster

    Note = Callable[[str, object], None]

FROZEN_SECONDS = 30
CUT_OFF_SECONDS = 10
LAG_SECONDS = 3
# After a replica has taken over.
AWAY_SECONDS = 3
# A slot is moved in about as many.
MOST_STEPS = 100


def back(on: OnCluster, node: Node) -> None:
    """Start a node again, and wait until the cluster is complete."""
    node.start()
    node.wait()
    on.cluster.wait_until_whole()


def kill(on: OnCluster, note: Note) -> None:
    """A primary is killed, and started again some seconds after its replica has taken over."""
    primary = on.node_of(on.struck)
    primary.kill()
    taken_over(on, primary, note)
    time.sleep(AWAY_SECONDS)
    back(on, primary)


def kill_before_a_lagging_replica(on: OnCluster, note: Note) -> None:
    """The replica receives nothing for three seconds; then its primary is killed, and it takes over with the data that it has.

    A stopped replica would read later what its socket has.
    """
    primary = on.node_of(on.struck)
    assert on.straits[primary.port].swallow_those_who_said(b"REPLCONF")
    time.sleep(LAG_SECONDS)
    primary.kill()
    taken_over(on, primary, note)
    back(on, primary)


def freeze(on: OnCluster, note: Note) -> None:
    """A primary is frozen for half a minute; a replica has taken over when it continues."""
    primary = on.node_of(on.struck)
    primary.signal(signal.SIGSTOP)
    began = time.monotonic()
    taken_over(on, primary, note)
    time.sleep(max(0.0, began + FROZEN_SECONDS - time.monotonic()))
    primary.signal(signal.SIGCONT)
    on.cluster.wait_until_whole()


def restart_one_after_the_other(on: OnCluster, note: Note) -> None:
    """Every node, in order."""
    for node in on.cluster.nodes:
        node.stop()
        back(on, node)
    note("nodes", len(on.cluster.nodes))


def move_a_slot(on: OnCluster, note: Note) -> None:
    """That of the location goes to another primary, some keys at a time, as redis-cli does it, but slowly."""
    source, slot = on.node_of(on.struck), key_slot(prefix_of(on.struck).encode())
    target = next(node for node in on.cluster.nodes if node.is_primary() and node is not source)
    began = time.monotonic()
    at_once = max(2, int(source.ask("CLUSTER COUNTKEYSINSLOT", slot)) // MOST_STEPS)
    target.ask("CLUSTER SETSLOT", slot, "IMPORTING", source.id())
    source.ask("CLUSTER SETSLOT", slot, "MIGRATING", target.id())
    while found := source.ask("CLUSTER GETKEYSINSLOT", slot, at_once):
        time.sleep(0.02)
        source.ask("MIGRATE", cluster.HOST, target.port, "", 0, 5000, "AUTH", on.cluster.password, "KEYS", *found)
    for node in (target, source):
        node.ask("CLUSTER SETSLOT", slot, "NODE", target.id())
    note("moved_in", round(time.monotonic() - began, 1))
    assert on.node_of(on.struck) is target


@contextmanager
def cut_off(on: OnCluster) -> Iterator[None]:
    """For ten seconds, and while the block runs, clients and the replica get no bytes from a primary; the other nodes do."""
    strait = on.straits[on.node_of(on.struck).port]
    strait.swallow()
    began = time.monotonic()
    try:
        yield
        time.sleep(max(0.0, began + CUT_OFF_SECONDS - time.monotonic()))
    finally:
        strait.heal()
        # The dropped bytes are missing, so these connections would never continue.
        strait.cut()


def taken_over(on: OnCluster, primary: Node, note: Note) -> None:
    """Wait until another node is primary, and then until it is written to."""
    began = time.monotonic()
    poll("a replica that takes over", lambda: on.node_of_or_none(on.struck) not in (None, primary))
    note("taken_over_after", round(time.monotonic() - began, 1))
