"""An append-only file that is torn within a script's record: a real server has written it, and its end is cut off."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from bridge.cli import redis_data, redis_server
from bridge.store.redis.connection import connect
from tests.story.machine import poll

if TYPE_CHECKING:
    from pathlib import Path

SERVERS = ("Redis", "Valkey")
SCRIPT = "for number = 1, 5 do redis.call('SET', 'cut' .. number, string.rep('x', 100)) end"
# The script's last SET and the EXEC behind it, and a part of the SET before.
CUT_BYTES = 90


def program(maker: str) -> Path:
    """A server of this project, on PATH or in the package; without one the test is skipped."""
    for found in redis_server.programs():
        server = redis_data.server_of(found)
        if server and server.maker == maker:
            return found
    pytest.skip(f"no server of {maker} here")


def tear(server: Path, folder: Path) -> None:
    """Store `before`, then let a script store five values and cut within its fourth."""
    port = redis_server.free_port()
    options = {"port": str(port), "dir": str(folder), "appendonly": "yes", "appendfsync": "always", "save": ""}
    command = [str(server), *(part for name, value in options.items() for part in (f"--{name}", value))]
    url = f"redis://127.0.0.1:{port}/0"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process, connect(url) as redis:
        poll("an answer of the server", lambda: redis_server.answers(url))
        redis.set("before", "kept")
        redis.eval(SCRIPT, 0)
        process.kill()
    (file,) = (folder / redis_data.MANY_FILES).glob("*.incr.aof")
    whole = file.read_bytes()
    assert whole.endswith(b"EXEC\r\n")
    file.write_bytes(whole[:-CUT_BYTES])
