"""`ghl-bridge backup`: copies Redis' files and starts a server on the copy."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli import redis_server
from bridge.cli.context import NO_ANSWER_SECONDS, settings
from bridge.cli.output import print_json, working
from bridge.errors import DidNotWork, WrongInput
from bridge.redis_url import is_cluster
from bridge.store.redis.connection import connect
from bridge.store.redis.server_files import locate, mark, marked, open_at_once
from bridge.store.redis.waiting import wait_at_most

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.store.redis.server_files import OpenFile, ServerFiles

BLOCK_BYTES = 1024 * 1024
# Seconds; loading a copy of some gigabytes takes long.
STARTS_WITHIN_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished copy: its folder, size (bytes), number of keys, and the server that was started on it."""

    folder: str
    bytes: int
    keys: int
    seconds: float
    server: str


def run(target: Path, *, as_json: bool) -> None:
    """Copy, start a server on the copy, and then rename the copy to `target`. Raises WrongInput, DidNotWork, Unavailable."""
    with working("copying, and starting a server on the copy"):
        made = back_up(target.absolute(), url=_url())
    if as_json:
        print_json(made)
        return
    print(f"{made.folder}: {made.keys} keys, {made.bytes} bytes; {made.server} started on it and had the newest write")
    print("the tokens in it can only be decrypted with this BRIDGE_SECRET_KEY: keep the key elsewhere")


def back_up(target: Path, *, url: str) -> Backup:
    """Copy the files of the Redis at `url`. `target` exists only if the copy is complete."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise WrongInput(f"{target} exists: choose an empty or new folder")
    began = time.monotonic()
    with connect(url) as redis, _unfinished(target) as folder:
        files = locate(redis)
        written = mark(redis)
        with ExitStack() as stack:
            size = _copy(open_at_once(redis, files, stack), folder)
        server, keys = _try(folder, files, url, written)
        folder.rename(target)
    return Backup(str(target), size, keys, round(time.monotonic() - began, 1), server)


def _url() -> str:
    here = settings()
    wait_at_most(NO_ANSWER_SECONDS)
    if here.bridge_url:
        raise DidNotWork("a backup copies Redis' files: run it on Redis' machine, with REDIS_URL and without BRIDGE_URL")
    if is_cluster(here.state_url):
        raise DidNotWork(
            "REDIS_URL names a cluster, whose nodes can't be copied together: copy each node's files, or use its host's snapshots"
        )
    return here.state_url


@contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """A temporary folder beside the target, deleted at the end unless it was renamed."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise DidNotWork(f"{target} can't be created: {error.strerror}") from None
    try:
        yield folder
    except OSError as error:
        raise DidNotWork(f"the copy could not be written into {target.parent}: {error.strerror}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(files: Sequence[OpenFile], folder: Path) -> int:
    """Copy the files as they are at one moment; returns the size in bytes."""
    for file in files:
        copy = folder / file.name
        copy.parent.mkdir(mode=0o700, exist_ok=True)
        file.content.seek(0)
        left = file.size
        with copy.open("xb") as out:
            while left and (block := file.content.read(min(left, BLOCK_BYTES))):
                left -= out.write(block)
            out.flush()
            os.fsync(out.fileno())
    return sum(file.size for file in files)


def _try(folder: Path, files: ServerFiles, url: str, written: str) -> tuple[str, int]:
    """Start a server on the copy; returns its name and version, and its number of keys. Raises DidNotWork."""
    program = files.program if os.access(files.program, os.X_OK) else redis_server.find(folder)
    with redis_server.running(folder, program=program, seconds=STARTS_WITHIN_SECONDS) as its_url:
        database = url.partition("?")[0].rpartition("/")[2]
        with connect(f"{its_url.rpartition('/')[0]}/{database if database.isdecimal() else 0}") as redis:
            found, keys = marked(redis)
            version = locate(redis).version
    (folder / redis_server.CONFIGURATION_FILE).unlink()
    if found != written:
        raise DidNotWork(f"the files in {files.folder} on this machine do not belong to the Redis of REDIS_URL")
    return version, keys
