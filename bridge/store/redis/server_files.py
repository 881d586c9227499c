"""The files of a Redis on this machine, and how much of each belongs to a copy at one moment.

A rewrite of the append-only file replaces its parts, which a manifest lists
(https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/). An open file stays complete even if it is deleted,
so the parts are opened while Redis pauses all writes, and then copied. A rewrite may continue, no setting is changed, and the
pause ends by itself if this process is killed.
"""

from __future__ import annotations

import shlex
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

from redis import ResponseError

from bridge.errors import DidNotWork, Unavailable
from bridge.store.redis.connection import reaching
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

    from redis import Redis

ASKED = ("appendonly", "dir", "appenddirname", "appendfilename")
# The receiver answers 429 to webhooks that take longer than a second.
HELD_MS = 800
ATTEMPTS = 5
MARK_SECONDS = 3600
HOSTED = "for a hosted Redis, use the provider's snapshots"


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """The places of a server's files. `subfolder` is empty before Redis 7, which had one file."""

    folder: Path
    subfolder: str
    name: str
    program: Path
    version: str


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file below the data folder, and how much of it belongs to the copy (bytes)."""

    name: str
    content: BinaryIO
    size: int


def locate(redis: Redis) -> ServerFiles:
    """Where the files are.

    Raises DidNotWork if the server doesn't say or has no append-only file, Unavailable if it can't be reached.
    """
    with reaching("report where its files are"):
        try:
            config = {name: str(redis.config_get(name).get(name, "")) for name in ASKED}
            server: dict[str, Any] = redis.info("server")
        except ResponseError:
            raise DidNotWork(
                f"this Redis does not report where its files are: {HOSTED}; for your own Redis, name a user in REDIS_URL that "
                "may run CONFIG GET, INFO and CLIENT PAUSE"
            ) from None
    if config["appendonly"] != "yes":
        raise DidNotWork("this Redis has no append-only file to copy: `ghl-bridge doctor` says what to set")
    maker = str(server.get("server_name", "redis")).capitalize()
    version = server.get("valkey_version") or server.get("redis_version", "")
    program = Path(str(server.get("executable", "")))
    return ServerFiles(Path(config["dir"]), config["appenddirname"], config["appendfilename"], program, f"{maker} {version}")


def mark(redis: Redis) -> str:
    """Write a new random value. A copy that contains it belongs to this Redis and has all earlier writes."""
    written = uuid4().hex
    with reaching("take a write"):
        redis.set(key("backup"), written, ex=MARK_SECONDS)
    return written


def marked(redis: Redis) -> tuple[str, int]:
    """The random value in a server's data ("" without one), and the number of keys."""
    with reaching("read the mark of a backup"):
        return str(redis.get(key("backup")) or ""), int(redis.dbsize())


def open_at_once(redis: Redis, files: ServerFiles, stack: ExitStack) -> list[OpenFile]:
    """Open all files at one moment; `stack` closes them. Raises DidNotWork if they are not on this machine, and Unavailable."""
    try:
        for _ in range(ATTEMPTS):
            with _held(redis) as until, suppress(FileNotFoundError):
                names = _names(files)
                found = [_open(files.folder, name, stack) for name in names]
                if _names(files) == names and time.monotonic() < until:
                    return found
    except PermissionError:
        raise DidNotWork(f"{files.folder} can't be read: run this as Redis' user, or as root") from None
    raise DidNotWork(f"the files of this Redis, in {files.folder}, are not on this machine: run this on Redis' machine; {HOSTED}")


@contextmanager
def _held(redis: Redis) -> Iterator[float]:
    """Pause all writes, and wait until the earlier ones are in the file; yields until when the pause is certain.

    Reads continue.
    """
    until = time.monotonic() + HELD_MS / 1000
    with reaching("pause writes for a backup"):
        try:
            redis.client_pause(HELD_MS, all=False)
        except ResponseError:
            raise DidNotWork("this Redis does not pause writes: name a user in REDIS_URL that may run CLIENT PAUSE") from None
        while int(redis.info("persistence")["aof_buffer_length"]) and time.monotonic() < until:
            time.sleep(0.005)
    try:
        yield until
    finally:
        with suppress(Unavailable), reaching("go on writing"):
            redis.client_unpause()


def _names(files: ServerFiles) -> list[str]:
    """The manifest's name, then the names of the parts that it lists, in order. Raises FileNotFoundError."""
    if not files.subfolder:
        return [files.name]
    manifest = f"{files.subfolder}/{files.name}.manifest"
    rows = [shlex.split(line) for line in (files.folder / manifest).read_text(encoding="utf-8").splitlines()]
    listed = [dict(zip(row[::2], row[1::2], strict=False)) for row in rows if row and not row[0].startswith("#")]
    # Parts of type "h" were replaced by a rewrite and are about to be deleted.
    return [manifest, *(f"{files.subfolder}/{row['file']}" for row in listed if row.get("type") != "h")]


def _open(folder: Path, name: str, stack: ExitStack) -> OpenFile:
    content = stack.enter_context((folder / name).open("rb"))
    return OpenFile(name, content, content.seek(0, 2))
