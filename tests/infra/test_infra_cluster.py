"""infra/dev/cluster.py: a cluster on one machine, whose replicas take over, and which ends with its owner."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from redis import Redis, RedisError

from bridge.cli import redis_server
from bridge.errors import DidNotWork
from bridge.store.redis.partitions import PREFIXES, key_at
from infra.dev import cluster
from tests import torn_file
from tests.stored import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from infra.dev.cluster import Cluster

RUN = [sys.executable, "-m", "infra.dev.cluster"]


def shares(found: Cluster) -> Counter[int]:
    """How many partitions each node has."""
    return Counter(found.nodes.index(found.primary_of(prefix)) for prefix in PREFIXES)


def value_at(found: Cluster, name: str) -> str | None:
    """What its primary has of a key, if there is one just now."""
    try:
        value = found.primary_of(name).ask("GET", name)
    except (RedisError, OSError, DidNotWork):
        return None
    return None if value is None else str(value)


@pytest.mark.parametrize("maker", ["Redis", pytest.param("Valkey", marks=pytest.mark.nightly)])
def test_a_replica_takes_over_and_the_killed_node_follows_it(maker: str, tmp_path: Path) -> None:
    """Each of three primaries has five or six whole partitions; what a killed one acknowledged is at its replica."""
    name = key_at(PREFIXES[0], "probe")
    with cluster.running(tmp_path, program=torn_file.program(maker)) as found:
        assert shares(found) == {0: 6, 1: 5, 2: 5}
        first = found.primary_of(name)
        (replica,) = found.replicas_of(first)
        with Redis.from_url(first.url) as redis:
            pipe = redis.pipeline(transaction=False)
            pipe.set(name, "kept")
            pipe.wait(1, 5000)
            assert pipe.execute() == [True, 1]
        first.kill()
        eventually(lambda: value_at(found, name) == "kept", seconds=30)
        assert found.primary_of(name) is replica
        assert not found.is_whole()
        first.start()
        first.wait()
        found.wait_until_whole()
        assert found.replicas_of(replica) == [first]


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not on this machine: it is Linux' util-linux")
def test_the_nodes_end_with_their_owner(tmp_path: Path) -> None:
    """Killed by SIGKILL, the program leaves no server behind."""
    log = tmp_path / "log"
    command = [*RUN, "--primaries", "1", "--replicas", "0"]
    given = {**os.environ, "TMPDIR": str(tmp_path)}
    with log.open("wb") as said, subprocess.Popen(command, env=given, stdout=said, stderr=said) as owner:
        try:
            eventually(lambda: "export REDIS_URL" in log.read_text(encoding="utf-8"), seconds=60)
            address = log.read_text(encoding="utf-8").partition("redis+cluster://")[2].partition("'")[0]
            url = f"redis://{address}/0"
            assert redis_server.answers(url)
        finally:
            owner.send_signal(signal.SIGKILL)
    eventually(lambda: not redis_server.answers(url))


def test_what_is_no_number_of_primaries_is_refused() -> None:
    """More than 16 would have no partition."""
    done = subprocess.run([*RUN, "--primaries", "17"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "invalid choice: 17" in done.stderr
