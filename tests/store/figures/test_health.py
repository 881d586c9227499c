"""Health: how durable the state is, the live workers, and how long the oldest lane is overdue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.cli import redis_server
from bridge.errors import Unavailable
from bridge.store.figures.health import judge
from bridge.store.operators.symptoms import look
from bridge.store.redis.connection import connect_without_retries
from bridge.store.redis.writable import try_write
from tests.stored import HERE, accept, claim, keep, lanes_of, locations_of, message, own_redis, pass_time
from tests.story.redis_faults import FAULTS

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

    from bridge.store.figures.health import Fsync


def test_an_idle_bridge_is_healthy(redis: Redis) -> None:
    """The tests' Redis lacks nothing, there is no worker, and nothing waits."""
    seen = look(redis)
    assert (seen.gauges.workers, seen.gauges.lanes, seen.gauges.oldest_overdue_seconds, seen.missing_durability) == (0, 0, 0, ())


def test_workers_count_while_they_live(redis: Redis) -> None:
    """A worker counts until it has been silent for too long."""
    lanes = lanes_of(redis)
    lanes.claim("first", slots=3, alive_seconds=10, most=1)
    lanes.claim("second", slots=3, alive_seconds=100, most=1)
    assert look(redis).gauges.workers == 2
    pass_time(redis, 11)
    assert look(redis).gauges.workers == 1


def test_the_oldest_overdue_lane_is_told(redis: Redis) -> None:
    """A lane that is due later or leased is not overdue; one that is only claimed is."""
    keep(redis, debounce=10)
    accept(redis, message("m1"))
    pass_time(redis, 9)
    assert (look(redis).gauges.lanes, look(redis).gauges.oldest_overdue_seconds) == (1, 0)
    accept(redis, message("m2", "other"))
    pass_time(redis, 91)
    assert look(redis).gauges.lanes == 2
    assert look(redis).gauges.oldest_overdue_seconds == pytest.approx(90, abs=5)
    lanes = lanes_of(redis)
    claimed = claim(lanes)
    assert look(redis).gauges.oldest_overdue_seconds == pytest.approx(90, abs=5)
    for lane in claimed:
        assert lanes.lease(lane)
    assert look(redis).gauges.oldest_overdue_seconds == 0


def test_a_backlog_that_is_being_served_is_still_overdue(redis: Redis) -> None:
    """A location's other lanes stay overdue although it was just served."""
    keep(redis)
    accept(redis, message("m1"), message("m2", "other"))
    pass_time(redis, 3600)
    claim(lanes_of(redis), most=1)
    assert look(redis).gauges.oldest_overdue_seconds == pytest.approx(3600, abs=5)


def test_what_a_202_lacks_is_named(tmp_path: Path) -> None:
    """Each setting that could lose an accepted message is named with its value and the right one."""
    with own_redis(tmp_path) as server, connect_without_retries(server.url, seconds=5) as redis:
        redis.config_set("appendfsync", "everysec")
        redis.config_set("maxmemory-policy", "allkeys-lru")
        assert look(redis).missing_durability == (
            "appendfsync always (is everysec)",
            "maxmemory-policy noeviction (is allkeys-lru)",
        )
        redis.acl_setuser("limited", enabled=True, nopass=True, keys=["*"], channels=["*"], commands=["+@all", "-config"])
        host = server.url.rpartition("@")[2]
        with connect_without_retries(f"redis://limited:x@{host}", seconds=5) as limited:
            told = look(limited).missing_durability
            assert told[0].startswith("not known: appendfsync")
            assert told[1:] == ("maxmemory-policy noeviction (is allkeys-lru)",)
        redis.config_set("appendonly", "no")
        with connect_without_retries(f"redis://limited:x@{host}", seconds=5) as limited:
            assert look(limited).missing_durability[0] == "appendonly yes (is no)"


@pytest.mark.parametrize(
    ("fsync", "missing"),
    [
        ("always", ()),
        ("everysec", ("appendfsync always (synced later than a write is answered)",)),
        ("none", ("appendonly yes (is no)",)),
    ],
)
def test_how_soon_the_file_is_synced_says_what_is_missing(fsync: Fsync, missing: tuple[str, ...]) -> None:
    """Only data that is synced before the answer is safe for a 202."""
    assert judge(fsync) == missing


@pytest.mark.parametrize(
    ("code", "words"), [("READONLY", "a replica"), ("NOREPLICAS", "fewer replicas"), ("OOM", "full"), ("NOPERM", "right")]
)
def test_a_write_that_is_refused_says_why(tmp_path: Path, code: str, words: str) -> None:
    """A write like those of the scripts is tried, and a refusal becomes a sentence for the operator."""
    with own_redis(tmp_path) as server, connect_without_retries(server.url, seconds=5) as redis:
        assert try_write(redis).refused == ""
        with FAULTS[code](redis):
            assert words in try_write(redis).refused
            assert try_write(redis).why_not


def test_a_server_in_cluster_mode_says_so(tmp_path: Path) -> None:
    """Its error about a key that is not local has no code, and becomes a sentence too."""
    # Else its bus takes the port ten thousand above, where there may be none.
    options = ("--cluster-enabled", "yes", "--cluster-port", str(redis_server.free_port()))
    with own_redis(tmp_path, *options) as server, connect_without_retries(server.url, seconds=5) as redis:
        assert "it runs in cluster mode, and REDIS_URL names a single server" in try_write(redis).refused


def test_a_state_that_never_had_a_location_is_told(redis: Redis) -> None:
    """The first location, or install, leaves a mark that its removal keeps."""
    assert not try_write(redis).had_location
    keep(redis)
    assert try_write(redis).had_location
    locations_of(redis).remove(HERE)
    assert try_write(redis).had_location


def test_without_redis_health_is_unavailable() -> None:
    """Reading it reports that Redis can't be reached."""
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere, pytest.raises(Unavailable):
        look(nowhere)
