"""`ghl-bridge up`: Redis, receiver and worker on one machine."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from bridge.cli import redis_server, redis_start
from bridge.cli.context import RUNNING
from bridge.cli.output import console
from bridge.cli.processes import Processes, python
from bridge.errors import DidNotWork
from bridge.settings import from_environment, known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

START_SECONDS = 30.0
# For a stuck server; one that this command starts itself has answered before.
REDIS_SECONDS = 3.0
LOOPBACK = "127.0.0.1"
ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - the two that listen on every address
TOKEN = "admin.token"  # noqa: S105 - the name of a file


@dataclass(frozen=True, slots=True)
class Machine:
    """The processes of one machine, and the environment that they share."""

    processes: Processes
    environ: dict[str, str]
    web_url: str


def run() -> None:
    """Start all processes and stay up until Ctrl-C."""
    with machine(os.environ) as here:
        start(here)
        console().print(f"console    {here.web_url}/console   (admin token: {_token_place(here)})", soft_wrap=True)
        console().print(f"receiver   {here.web_url}/webhooks/ghl   (GHL needs its public https address)", soft_wrap=True)
        console().print("next       ghl-bridge locations apply FILE, then ghl-bridge doctor")
        console().print("Ctrl-C stops everything; waiting messages are kept.")
        stay(here)


def run_simulator(*, port: int, webhook_url: str) -> None:
    """Replace this process by the simulator. Its page shows timelines of BRIDGE_URL, else of the `up` in the data folder."""
    settings = from_environment(os.environ)
    folder = settings.data_dir / "simulator"
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ("--port", str(port), "--state-dir", str(folder), "--webhook-url", webhook_url)
    beside = ("--bridge-url", settings.bridge_url, "--bridge-note", str(settings.data_dir / RUNNING))
    os.execv(sys.executable, python("bridge.simulator", *arguments, *beside))  # noqa: S606 - this program itself


@contextmanager
def machine(environ: Mapping[str, str]) -> Iterator[Machine]:
    """Lock the data folder for this run and start its Redis unless REDIS_URL is set. Raises DidNotWork, Misconfigured."""
    folder = from_environment(environ).data_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _only_one(folder), Processes(folder / "logs") as processes, _stopped_by_signals():
        mine = dict(environ)
        if not mine.get("REDIS_URL"):
            mine["REDIS_URL"] = redis_start.start(processes, folder / "redis", mine)
        mine.setdefault("BRIDGE_SECRET_KEY", _kept(folder / "secret.key", lambda: Fernet.generate_key().decode()))
        mine["BRIDGE_ADMIN_TOKEN"] = mine.get("BRIDGE_ADMIN_TOKEN") or _kept(folder / TOKEN, lambda: token_urlsafe(24))
        mine.setdefault("BRIDGE_DATA_DIR", str(folder))
        mine["HOST"] = mine.get("HOST") or LOOPBACK
        settings = from_environment(mine)
        port = settings.port or redis_server.free_port()
        _must_be_free(settings.host, port)
        mine["PORT"] = str(port)
        with _announced(folder, known(mine)):
            yield Machine(processes, mine, f"http://{_reached(settings.host)}:{port}")


def start(here: Machine) -> None:
    """Start receiver and worker and wait until both are ready. Raises DidNotWork."""
    url = from_environment(here.environ).state_url
    here.processes.wait_until("an answer of Redis", lambda: redis_server.answers(url), seconds=REDIS_SECONDS)
    here.processes.start("web", python("bridge.receiver"), here.environ)
    start_worker(here)
    here.processes.wait_until("a ready receiver and worker", lambda: _workers(here.web_url) > 0, seconds=START_SECONDS)


def start_worker(here: Machine) -> None:
    """Start the worker, without waiting for it."""
    here.processes.start("worker", python("celery", "-A", "workers", "worker"), here.environ)


def stay(here: Machine, look: Callable[[], None] = lambda: None) -> None:
    """Wait for Ctrl-C or SIGTERM, and call `look` twice a second. Raises DidNotWork if a process ends before that."""
    try:
        while True:
            here.processes.check()
            look()
            time.sleep(0.5)
    except KeyboardInterrupt:
        console().print("stopping")


def _workers(url: str) -> int:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:  # noqa: S310 - our own receiver
            return int(json.load(answer)["workers"])
    except urllib.error.HTTPError as not_ready:  # it is not ready without a location
        return int(json.load(not_ready).get("workers", 0))


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Lock the folder: two runs would write to the same append-only file. Raises DidNotWork."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DidNotWork(f"another ghl-bridge runs in {folder}; stop it, or set BRIDGE_DATA_DIR to another folder") from None
        yield


def _must_be_free(host: str, port: int) -> None:
    """Check the port before anything starts; the receiver would only log the error and stop. Raises DidNotWork."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise DidNotWork(
                    f"port {port} is in use: stop the program there, or set another one, as in `PORT=8001`"
                ) from None
            raise DidNotWork(f"port {port} of {host} can't be opened ({error.strerror}): set HOST and PORT") from None


@contextmanager
def _announced(folder: Path, environ: dict[str, str]) -> Iterator[None]:
    """Write this run's settings to a file for commands in other terminals, readable only for this user, while the block runs."""
    file = folder / RUNNING
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(environ), encoding="utf-8")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Handle SIGTERM like Ctrl-C, and SIGINT even if a script's `&` has disabled it."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _reached(host: str) -> str:
    """The host name to reach a server on this machine that listens on `host`."""
    host = LOOPBACK if host in ANYWHERE else host
    return f"[{host}]" if ":" in host else host


def _token_place(here: Machine) -> str:
    """The place of the console's token: a variable or a file. Never the token itself, which logs would keep."""
    if os.environ.get("BRIDGE_ADMIN_TOKEN"):
        return "BRIDGE_ADMIN_TOKEN"
    return str(from_environment(here.environ).data_dir / TOKEN)


def _kept(file: Path, make: Callable[[], str]) -> str:
    """A secret of this data folder, created at the first start and kept, so that stored values can be decrypted later."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(make(), encoding="ascii")
    return file.read_text(encoding="ascii").strip()
