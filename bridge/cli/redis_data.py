"""Which server can read the Redis files of a data folder: older servers can't read newer formats, and Redis and Valkey differ.

A file begins with the name of the server and the number of the format: `REDIS0010` is Redis 7.0's, `VALKEY080` Valkey 9's
(https://github.com/redis/redis/blob/7.0/src/rdb.h, https://github.com/valkey-io/valkey/blob/9.0/src/rdb.h). A server
that is too old stops with "Bad file format". Redis 6.2 looks for one file, ignores the folder of newer versions and starts empty.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MANY_FILES = "appendonlydir"
FIRST_WITH_MANY_FILES = (7, 0)
# The first version of each server that reads a format. Versions above the last row are assumed to read it.
READS = {
    ("Redis", "REDIS"): (((7, 0), 10), ((7, 2), 11), ((7, 4), 12)),
    ("Valkey", "REDIS"): (((7, 2), 11),),
    ("Redis", "VALKEY"): (((7, 0), 0),),
    ("Valkey", "VALKEY"): (((7, 2), 0), ((9, 0), 80)),
}
OWN = {("Redis", "REDIS"), ("Valkey", "VALKEY")}


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A server program: its maker (Redis or Valkey) and its version (major, minor)."""

    program: Path
    maker: str
    version: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.program} ({self.maker} {'.'.join(map(str, self.version))})"


@dataclass(frozen=True, slots=True)
class DataFormat:
    """The maker of a data file, and the number of its format."""

    maker: str
    number: int

    def __str__(self) -> str:
        return f"format {self.number} of {self.maker.capitalize()}"


def server_of(program: Path) -> RedisServer | None:
    """The server that a program is, by its `--version`; None if it prints no known version."""
    try:
        version_line = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"(Redis|Valkey) server v=(\d+)\.(\d+)", version_line)
    return RedisServer(program, found[1], (int(found[2]), int(found[3]))) if found else None


def format_of(folder: Path) -> DataFormat | None:
    """The newest format among the data files of a folder; None if there are none, or if they contain plain commands."""
    found = [beginning for file in _data_files(folder) if (beginning := _begins(file))]
    return max(found, key=lambda each: (each.maker == "VALKEY", each.number), default=None)


def reads(server: RedisServer, folder: Path) -> bool:
    """Whether a server can read all data files in the folder, as far as is known."""
    if server.version < FIRST_WITH_MANY_FILES:
        return False
    data = format_of(folder)
    if data is None:
        return True
    known = READS[server.maker, data.maker]
    if (server.maker, data.maker) in OWN and server.version > known[-1][0]:
        return True
    return data.number <= max((number for since, number in known if since <= server.version), default=0)


def written(folder: Path) -> int:
    """The size of the append-only files (bytes)."""
    return sum(file.stat().st_size for file in (folder / MANY_FILES).glob("*.incr.aof"))


def _data_files(folder: Path) -> list[Path]:
    return [file for file in (folder / "appendonly.aof", *(folder / MANY_FILES).glob("*.base.*")) if file.is_file()]


def _begins(file: Path) -> DataFormat | None:
    with file.open("rb") as opened:
        found = re.match(rb"(REDIS|VALKEY)(\d+)", opened.read(9))
    return DataFormat(found[1].decode(), int(found[2])) if found else None
