"""The files of a Redis on this machine: where they are, and how much of each belongs to one moment.

A rewrite of the append-only file replaces its parts, which a manifest lists
(https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/). What is open stays whole even if it is deleted
meanwhile: so the parts are opened while Redis holds all writes, and copied from there. A rewrite may go on, nothing is
switched off, and nothing stays so if this process is killed.
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
from bridge.store.redis.connection import key, reaching

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

    from redis import Redis

ASKED = ("appendonly", "dir", "appenddirname", "appendfilename")
# The receiver answers 429 to what takes longer than a second.
HELD_MS = 800
ATTEMPTS = 5
MARK_SECONDS = 3600
HOSTED = "of a Redis at a host, use the host's own snapshots"


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """What a server says of itself. `subfolder` is empty before Redis 7, which kept one file."""

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
    """Where the files are. Raises DidNotWork if the server doesn't tell or keeps none, Unavailable when it can't be reached."""
    with reaching("tell where its files are"):
        try:
            told = {name: str(redis.config_get(name).get(name, "")) for name in ASKED}
            server: dict[str, Any] = redis.info("server")
        except ResponseError:
            raise DidNotWork(
                f"this Redis does not tell where its files are: {HOSTED}; of your own, name a user in REDIS_URL that may run "
                "CONFIG GET, INFO and CLIENT PAUSE"
            ) from None
    if told["appendonly"] != "yes":
        raise DidNotWork("this Redis keeps no append-only file, so there is none to copy: `ghl-bridge doctor` says what to set")
    maker = str(server.get("server_name", "redis")).capitalize()
    version = server.get("valkey_version") or server.get("redis_version", "")
    program = Path(str(server.get("executable", "")))
    return ServerFiles(Path(told["dir"]), told["appenddirname"], told["appendfilename"], program, f"{maker} {version}")


def mark(redis: Redis) -> str:
    """Write something new that the copy has to hold: it proves whose files these are, and that nothing earlier is missing."""
    written = uuid4().hex
    with reaching("take a write"):
        redis.set(key("backup"), written, ex=MARK_SECONDS)
    return written


def marked(redis: Redis) -> tuple[str, int]:
    """The mark that a server holds, empty without one, and how many keys there are."""
    with reaching("tell the mark of a backup"):
        return str(redis.get(key("backup")) or ""), int(redis.dbsize())


def open_at_once(redis: Redis, files: ServerFiles, stack: ExitStack) -> list[OpenFile]:
    """Open all files as they are at one moment; `stack` closes them. Raises DidNotWork if they are not here, and Unavailable."""
    try:
        for _ in range(ATTEMPTS):
            with _held(redis) as until, suppress(FileNotFoundError):
                names = _names(files)
                found = [_open(files.folder, name, stack) for name in names]
                if _names(files) == names and time.monotonic() < until:
                    return found
    except PermissionError:
        raise DidNotWork(f"{files.folder} may not be read: run this as the user that Redis runs as, or as root") from None
    raise DidNotWork(f"the files of this Redis, in {files.folder}, are not on this machine: run this where they are; {HOSTED}")


@contextmanager
def _held(redis: Redis) -> Iterator[float]:
    """Hold all writes, and wait until those before are in the file; gives until when that is sure. Reads go on."""
    until = time.monotonic() + HELD_MS / 1000
    with reaching("hold writes for a backup"):
        try:
            redis.client_pause(HELD_MS, all=False)
        except ResponseError:
            raise DidNotWork("this Redis does not hold writes: name a user in REDIS_URL that may run CLIENT PAUSE") from None
        while int(redis.info("persistence")["aof_buffer_length"]) and time.monotonic() < until:
            time.sleep(0.005)
    try:
        yield until
    finally:
        with suppress(Unavailable), reaching("go on writing"):
            redis.client_unpause()


def _names(files: ServerFiles) -> list[str]:
    """The file's parts, in order, behind the manifest that lists them. Raises FileNotFoundError."""
    if not files.subfolder:
        return [files.name]
    manifest = f"{files.subfolder}/{files.name}.manifest"
    rows = [shlex.split(line) for line in (files.folder / manifest).read_text(encoding="utf-8").splitlines()]
    listed = [dict(zip(row[::2], row[1::2], strict=False)) for row in rows if row and not row[0].startswith("#")]
    # Of type "h" is what a rewrite has replaced, and is about to be deleted.
    return [manifest, *(f"{files.subfolder}/{row['file']}" for row in listed if row.get("type") != "h")]


def _open(folder: Path, name: str, stack: ExitStack) -> OpenFile:
    content = stack.enter_context((folder / name).open("rb"))
    return OpenFile(name, content, content.seek(0, 2))
