"""Starts the Redis of a data folder so that no script's record stays incomplete in its file.

In the append-only file, a script's writes are between MULTI and EXEC. If a power cut tears the file within them, Redis up to 8.2
cuts it after the last complete command, and appends later writes behind the open MULTI: at the next orderly start all of them are
lost. If it is loaded once more before the first write, Redis finds the open block at the end and removes it. A rewrite would not
help: if the machine dies during the rewrite, Redis refuses to load the file ("the truncated file is not the last file"). Valkey 9
cuts at the right place immediately (tried with Redis 7.0.15 and Valkey 9.1.2).
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
    """Start the folder's Redis and wait until it answers; returns its URL. Raises DidNotWork.

    If loading made the file shorter, it was torn, and it is loaded once more.
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
