"""Start the Redis of a data folder so that no record of a script stays half open in its file.

In the append-only file, a script's writes are between MULTI and EXEC. Redis up to 8.2 cuts a file that a power cut has torn
within them at the last whole command, and goes on writing behind the open MULTI: at the next orderly start everything since is
undone. Loaded once more, before anybody writes, it finds the open block at the end and takes it away. A rewrite would not do: a
machine that dies while it runs leaves a file that Redis refuses to load ("the truncated file is not the last file"). Valkey 9
cuts in the right place at once (tried with Redis 7.0.15 and Valkey 9.1.2).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bridge.cli import redis_data, redis_server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bridge.cli.processes import Processes

LOADS_WITHIN_SECONDS = 60.0


def start(processes: Processes, folder: Path, environ: Mapping[str, str]) -> str:
    """Start the folder's Redis and wait until it answers; gives its URL. Raises DidNotWork.

    A load that made the file shorter found it torn: then it is loaded once more.
    """
    command, url = redis_server.prepare(folder)
    answers = partial(redis_server.answers, url)
    before = redis_data.written(folder)
    processes.start("redis", command, environ)
    processes.wait_until("an answer of Redis", answers, seconds=LOADS_WITHIN_SECONDS)
    if redis_data.written(folder) < before:
        processes.stop("redis")
        processes.start("redis", command, environ)
        processes.wait_until("an answer of Redis", answers, seconds=LOADS_WITHIN_SECONDS)
    return url
