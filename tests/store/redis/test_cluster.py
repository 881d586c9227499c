"""The state on three primaries without replicas: each has its partitions, and only those of a missing one are missing."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

import pytest
from redis.crc import key_slot

from bridge.errors import Unavailable
from bridge.model import Lane
from bridge.operating.diagnosis import diagnose
from bridge.store.figures.counts import Counts
from bridge.store.figures.gauges import measure
from bridge.store.figures.health import missing_durability
from bridge.store.lanes.inbox import Inbox
from bridge.store.limits.budget import left_of
from bridge.store.locations.sweeps import DueSweep, Sweeps
from bridge.store.operators.conversation_lists import ConversationLists, ListFilter
from bridge.store.operators.erasures import Erasures
from bridge.store.operators.symptoms import look
from bridge.store.redis.cluster import servers_of
from bridge.store.redis.cluster_layout import NodeMissing
from bridge.store.redis.confirmations import Confirmation
from bridge.store.redis.connection import connect, connect_async, connect_without_retries
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import gather, members
from bridge.store.redis.partitions import PARTITIONS, PREFIXES, key, key_at, keys, partition_of, prefix_of
from bridge.store.redis.wakeups import WakeUpListener
from bridge.store.redis.writable import try_write
from infra.dev import cluster
from tests.stored import FERNET_KEY, LONG, RETENTION_MS, accept, eventually, keep, lanes_of, message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from infra.dev.cluster import Cluster
    from infra.dev.cluster_node import Node

SECONDS = 1.0


def one_of_each_partition() -> tuple[str, ...]:
    """A location of each partition, in their order."""
    found: dict[int, str] = {}
    for number in count():
        found.setdefault(partition_of(f"L{number}"), f"L{number}")
        if len(found) == PARTITIONS:
            break
    return tuple(found[at] for at in range(PARTITIONS))


LOCATIONS = one_of_each_partition()


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster.running(tmp_path_factory.mktemp("cluster"), replicas=0) as found:
        yield found


@pytest.fixture
def redis(nodes: Cluster) -> Iterator[Redis]:
    """An empty cluster, with a location in each partition."""
    with connect(nodes.url) as client:
        client.flushall()
        keep(client, *LOCATIONS)
        yield client


@pytest.fixture
def gone(nodes: Cluster, redis: Redis) -> Iterator[Node]:
    """The last node, which has no part of home, is killed; afterwards it is back with what it had."""
    node = nodes.nodes[-1]
    assert node is nodes.primary_of(PREFIXES[-1])
    node.kill()
    with pytest.raises(NodeMissing, match=str(node.port)):
        redis.get(key_at(PREFIXES[-1], "owned"))
    yield node
    node.start()
    node.wait()
    nodes.wait_until_whole()


# Those of the three nodes, as infra/dev/cluster.py gives the slots out.
FIRST, SECOND, LAST = LOCATIONS[:6], LOCATIONS[6:11], LOCATIONS[11:]


def test_every_command_finds_its_node(redis: Redis) -> None:
    """Whatever concerns one partition or all is asked of the nodes that have them, and answered in order."""
    assert members(redis, "locations") == set(LOCATIONS)
    assert gather(redis, "SCARD", "locations") == [1] * PARTITIONS
    assert redis.mget(keys("owned")) == ["1"] * PARTITIONS
    assert redis.exists(*keys("owned")) == PARTITIONS
    assert redis.dbsize() == len(set(redis.scan_iter("*")))
    pipe = redis.pipeline(transaction=False)
    for one in LOCATIONS:
        pipe.exists(key("location", one))
    assert pipe.execute() == [1] * PARTITIONS
    assert redis.delete(*keys("owned")) == PARTITIONS


def test_a_script_is_loaded_where_it_is_needed(redis: Redis) -> None:
    """A node that has forgotten the scripts, as after a restart, gets them again."""
    assert measure(redis).locations == PARTITIONS
    redis.script_flush()
    assert measure(redis).locations == PARTITIONS
    assert accept(redis, *(message("m", location=one) for one in LOCATIONS)) == ["accepted"] * PARTITIONS


def test_a_slot_is_followed_to_another_node(nodes: Cluster, redis: Redis) -> None:
    """A client that asked the former node asks the new one, and there it waits for replicas; meanwhile the slot is missing."""
    prefix = PREFIXES[-1]
    source, target = nodes.primary_of(prefix), nodes.nodes[0]
    assert redis.delete(*redis.scan_iter(f"{prefix}*"))
    assert redis.get(key_at(prefix, "owned")) is None
    slot = key_slot(prefix.encode())
    target.ask("CLUSTER SETSLOT", slot, "IMPORTING", source.id())
    source.ask("CLUSTER SETSLOT", slot, "MIGRATING", target.id())
    with pytest.raises(NodeMissing, match="AskError"):
        redis.get(key_at(prefix, "owned"))
    for node in (target, source):
        node.ask("CLUSTER SETSLOT", slot, "NODE", target.id())
    keep(redis, LOCATIONS[-1])
    assert target.ask("GET", key_at(prefix, "owned")) == "1"
    assert redis.get(key_at(prefix, "owned")) == "1"
    with connect(nodes.url) as another:
        pipe = another.pipeline(transaction=False)
        for one in PREFIXES[11:]:
            pipe.get(key_at(one, "owned"))
        another.nodes.layout().move(slot, ("127.0.0.1", source.port))
        pipe.set(key_at(prefix, "probe"), "1")
        pipe.execute_command("WAIT", 0, 1)
        target.ask("CONFIG", "RESETSTAT")
        assert pipe.execute() == [*["1"] * 5, True, 0]
        assert target.ask("INFO", "commandstats")["cmdstat_wait"]["calls"] == 1
    assert set(redis.scan_iter(f"{prefix}*")) == {name for name in redis.scan_iter("*") if name.startswith(prefix)} != set()
    redis.delete(*redis.scan_iter(f"{prefix}*"))
    for node in (source, target):
        node.ask("CLUSTER SETSLOT", slot, "NODE", source.id())
    nodes.wait_until_whole()


def test_due_lanes_of_all_partitions_share_the_slots(redis: Redis) -> None:
    """Each location has two due lanes: ten slots and two in reserve are for twelve locations, and those of another for more."""
    accept(redis, *(message(f"m{at}", contact=f"c{at}", location=one) for one in LOCATIONS for at in range(2)))
    lanes = lanes_of(redis)
    claimed = [lane for _ in range(5) for lane in lanes.claim("w", slots=10, alive_seconds=LONG, most=100).lanes]
    assert len(claimed) == len(set(claimed)) == 12
    assert set(Counter(lane.location_id for lane in claimed).values()) == {1}
    other = [lane for _ in range(5) for lane in lanes.claim("w2", slots=10, alive_seconds=LONG, most=100).lanes]
    assert len(other) == 12
    assert len({*claimed, *other}) == 24
    now = measure(redis)
    assert (now.workers, now.slots, now.in_flight, now.lanes) == (2, 20, 24, 32)


def test_a_dispatcher_is_rung_by_every_node(redis: Redis) -> None:
    """It alone, whatever node has the lane that is due: a script learns only of those who listen at its own."""
    lanes = lanes_of(redis)
    leader, other = WakeUpListener(redis, "leader"), WakeUpListener(redis, "other")
    leader.listen()
    other.listen()
    assert lanes.claim("leader", slots=9, alive_seconds=LONG, most=9).leads
    for number, one in enumerate(LOCATIONS):
        accept(redis, message(f"m{number}", location=one))
        rung: set[int] = set()
        while number not in rung:
            found = leader.wait(LONG)
            assert found
            rung |= found
    assert other.wait(0) == frozenset()
    leader.close()
    other.close()


def test_leases_of_all_nodes_are_renewed_together(redis: Redis) -> None:
    """The lost ones are told, of whatever node, and what is put back is due again."""
    accept(redis, *(message("m", location=one) for one in LOCATIONS))
    lanes = lanes_of(redis)
    claimed = [lane for _ in range(2) for lane in lanes.claim("w", slots=99, alive_seconds=LONG, most=100).lanes]
    turns = [turn for turn in map(lanes.lease, claimed) if turn]
    assert len(turns) == PARTITIONS
    for turn in turns[::5]:
        redis.hset(key("lane", str(turn.lane)), "lease", "another")
    assert set(lanes.renew(turns)) == {turn.lane for turn in turns[::5]}
    assert [left.most for left in left_of(redis, LOCATIONS).values()] == [100] * PARTITIONS
    assert tuple(left_of(redis, LOCATIONS)) == LOCATIONS


def test_conversations_are_listed_in_order(redis: Redis) -> None:
    """A filtered list of all partitions, in pages, has each conversation once."""
    accept(redis, *(message(f"m{at}", contact=f"c{at}", location=one) for one in LOCATIONS for at in range(3)))
    lists = ConversationLists(redis, retention_ms=RETENTION_MS)
    found: list[str] = []
    after = ""
    while True:
        page = lists.page(ListFilter(location_ids=LOCATIONS, work="overdue"), after=after, most=7)
        found += [str(one.lane) for one in page.conversations]
        after = page.next
        if not after:
            break
    assert len(found) == len(set(found)) == 3 * PARTITIONS


def test_a_missing_node_delays_its_own_lanes_only(redis: Redis, gone: Node) -> None:
    """The others' are claimed, leased and renewed, the claim says which node is missing, and then all are."""
    lanes = lanes_of(redis)
    accept(redis, *(message("m", location=one) for one in (*FIRST, *SECOND)))
    claims = [lanes.claim("w", slots=99, alive_seconds=LONG, most=100) for _ in range(2)]
    claimed = [lane for one in claims for lane in one.lanes]
    assert {lane.location_id for lane in claimed} == {*FIRST, *SECOND}
    assert all(str(gone.port) in one.missing for one in claims)
    turns = [turn for turn in map(lanes.lease, claimed) if turn]
    assert lanes.renew(turns) == ()
    with pytest.raises(NodeMissing, match=str(gone.port)):
        accept(redis, message("m", location=LAST[0]))


def test_a_missing_node_is_named_and_counted_apart(redis: Redis, nodes: Cluster, gone: Node) -> None:
    """Readiness, gauges and problems name it; what the others have is told; the totals are what they were."""
    symptoms = look(redis)
    assert symptoms.gauges.locations == len(FIRST) + len(SECOND)
    assert [str(gone.port) in why for why in symptoms.gauges.missing] == [True]
    assert (symptoms.tried.refused, len(symptoms.tried.partly)) == ("", 1)
    assert str(gone.port) in symptoms.tried.partly[0]
    problem = next(one for one in diagnose(symptoms) if one.cause == "writes_refused")
    assert str(gone.port) in problem.says
    assert missing_durability(redis) == ()
    assert {address.rpartition(":")[2] for address in servers_of(redis)} == {str(node.port) for node in nodes.nodes}


def test_totals_do_not_fall_while_a_node_is_missing(redis: Redis, nodes: Cluster) -> None:
    """A counter that falls would look like a new beginning; one that was never read is not told at all."""
    counts, later = Counts(redis), Counts(redis)
    for one in LOCATIONS:
        redis.hset(key_at(prefix_of(one), "totals"), "outcomes|replied", 2)
    assert counts.totals()["outcomes|replied"] == 2 * PARTITIONS
    with away(nodes, nodes.nodes[-1]):
        redis.hset(key_at(prefix_of(FIRST[0]), "totals"), "outcomes|replied", 3)
        assert counts.totals()["outcomes|replied"] == 2 * PARTITIONS + 1
        with pytest.raises(Unavailable, match=str(nodes.nodes[-1].port)):
            later.totals()


def test_sweeps_and_heartbeats_go_on_without_a_node(redis: Redis, gone: Node) -> None:
    """Locations of the others are swept when they are due; a receiver tells that it lives, as far as it can."""
    sweeps = Sweeps(redis)
    for one in (*FIRST, *SECOND):
        redis.zadd(key_at(prefix_of(one), "sweeps"), {one: 1})
    swept = [sweeps.claim() for _ in (*FIRST, *SECOND)]
    assert {one.location_id for one in swept if isinstance(one, DueSweep)} == {*FIRST, *SECOND}
    with pytest.raises(Unavailable, match=str(gone.port)):
        sweeps.beat()
    assert redis.exists(key_at(prefix_of(FIRST[0]), "receiving"), key_at(prefix_of(SECOND[0]), "receiving")) == 2


def test_the_receiver_accepts_for_the_nodes_that_are_there(nodes: Cluster, redis: Redis) -> None:
    """While a node stands still, messages of the others are accepted at once, in one pipeline a node; its own fail in time."""
    stopped = nodes.nodes[-1]

    async def accepted() -> tuple[set[str], float]:
        inbox = Inbox(connect_async(nodes.url, seconds=SECONDS), retention_ms=RETENTION_MS, seconds=SECONDS)
        first = await asyncio.gather(*(inbox.accept(message("m1", location=one)) for one in LOCATIONS))
        assert set(first) == {"accepted"}
        stopped.signal(signal.SIGSTOP)
        began = asyncio.get_running_loop().time()
        waiting = [asyncio.ensure_future(inbox.accept(message("m2", location=one))) for one in LAST]
        there = await asyncio.gather(*(inbox.accept(message("m2", location=one)) for one in (*FIRST, *SECOND)))
        took = asyncio.get_running_loop().time() - began
        failed = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(one, Unavailable) and str(stopped.port) in str(one) for one in failed)
        await inbox.close()
        return set(there), took

    try:
        there, took = asyncio.run(accepted())
    finally:
        stopped.signal(signal.SIGCONT)
    assert there == {"accepted"}
    assert took < SECONDS / 2
    assert redis.exists(*(key("message", one, "m1") for one in LOCATIONS)) == PARTITIONS


def test_a_node_that_stands_still_is_waited_for_once(nodes: Cluster, redis: Redis) -> None:
    """Then its calls fail at once, and others are not held up, until it answers again."""
    assert measure(redis).locations == PARTITIONS
    stopped = nodes.nodes[-1]
    hasty = connect_without_retries(nodes.url, seconds=SECONDS)
    hasty.ping()
    stopped.signal(signal.SIGSTOP)
    try:
        with pytest.raises(NodeMissing, match="does not answer"):
            hasty.get(key_at(PREFIXES[-1], "owned"))
        began = time.monotonic()
        for _ in range(20):
            assert hasty.get(key_at(PREFIXES[0], "owned")) == "1"
            with pytest.raises(NodeMissing, match="does not answer"):
                hasty.get(key_at(PREFIXES[-1], "owned"))
        assert time.monotonic() - began < SECONDS
    finally:
        stopped.signal(signal.SIGCONT)
    eventually(lambda: answered(hasty))


def answered(redis: Redis) -> bool:
    """Whether the last partition answers."""
    try:
        return redis.get(key_at(PREFIXES[-1], "owned")) == "1"
    except NodeMissing:
        return False


def test_a_write_is_confirmed_by_its_own_node(nodes: Cluster, redis: Redis) -> None:
    """None of these has a replica: each says so for what was written to it, and readiness names them all."""
    probe = redis.register_script(script("probe"))
    redis.script_load(probe.script)
    redis.config_resetstat()
    for prefix in PREFIXES:
        found, why = Confirmation(1).run(redis, probe, ["write", "", 1000], at=prefix, seconds=0.1)
        assert (int(found), "0 of 1 replicas" in why) == (1, True)
        assert redis.exists(key_at(prefix, "confirmed"))
    asked = [{name: row["calls"] for name, row in node.ask("INFO", "commandstats").items()} for node in nodes.nodes]
    assert [calls["cmdstat_wait"] for calls in asked] == [6, 5, 5]
    refused = try_write(redis, replicas=1).refused
    assert [f"its node 127.0.0.1:{node.port}: 0 of 1 replicas" in refused for node in nodes.nodes] == [True] * 3


async def test_the_receiver_says_which_shard_has_no_replica(nodes: Cluster, redis: Redis) -> None:
    """A message is not accepted, nor when it comes again, and the reason names the node of its location."""
    inbox = Inbox(connect_async(nodes.url), retention_ms=RETENTION_MS, seconds=0.5, confirmation=Confirmation(1))
    for _ in range(2):
        with pytest.raises(Unavailable, match=f"its node 127.0.0.1:{nodes.nodes[-1].port}: 0 of 1 replicas"):
            await inbox.accept(message("m", location=LAST[0]))
    await inbox.close()
    assert redis.exists(key("message", LAST[0], "m"))  # they may still get it


def test_each_node_notices_its_own_lost_writes(redis: Redis, nodes: Cluster) -> None:
    """A restart of one node is noticed in its partitions only, a loss of its writes too; the others stay calm."""
    lanes = lanes_of(redis)
    for _ in range(2):
        lanes.claim("w", slots=9, alive_seconds=LONG, most=9)
    assert gather(redis, "EXISTS", "rollback") == [0] * PARTITIONS
    with away(nodes, nodes.nodes[-1]):
        pass
    lanes.claim("w", slots=9, alive_seconds=LONG, most=9)
    assert gather(redis, "HEXISTS", "rollback", "at") == [0] * 11 + [1] * 5
    assert gather(redis, "HEXISTS", "rollback", "certain_at") == [0] * PARTITIONS
    for name in redis.scan_iter(f"{PREFIXES[7]}wrote:*"):
        redis.delete(name)
    lanes.claim("w", slots=9, alive_seconds=LONG, most=9)
    assert gather(redis, "HEXISTS", "rollback", "certain_at") == [int(number == 7) for number in range(PARTITIONS)]


def test_a_contact_is_erased_from_its_partition(redis: Redis) -> None:
    """Of another contact in the same and in another location everything stays."""
    accept(redis, *(message(f"m{at}", contact=f"c{at}", location=one) for one in LOCATIONS for at in range(2)))
    erasures = Erasures(redis, fernet_keys=[FERNET_KEY], retention_ms=RETENTION_MS)
    for one in LOCATIONS[::3]:
        assert erasures.erase(Lane.parse(f"{one}:c0")).records
    left = [redis.exists(key("waiting", f"{one}:c{at}")) for one in LOCATIONS for at in range(2)]
    assert left == [int(at or place % 3 > 0) for place, _ in enumerate(LOCATIONS) for at in range(2)]


@contextmanager
def away(nodes: Cluster, node: Node) -> Iterator[None]:
    """A node is killed while the block runs, and comes back with what it had."""
    node.kill()
    try:
        yield
    finally:
        node.start()
        node.wait()
        nodes.wait_until_whole()
