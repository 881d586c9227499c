"""The bridge's processes without their imports: forks of a process that has imported what they need.

An import of the whole bridge takes half a second of CPU, with Celery a whole one, and a fork takes milliseconds; the tests start
many hundred processes. Each is one of its own nevertheless, with an environment, a folder, standard streams and a session of its
own, and an end that is the interpreter's. The commands themselves (`ghl-bridge`, those of the Procfile) are run by what tests
terminals, installs and the README, and by whatever starts a kind of process first in a story.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, BinaryIO

ROOT = Path(__file__).parents[1]
MOST_BYTES = 1_000_000
# What only a process that is executed obeys: the interpreter or the linker reads it before any module.
OF_A_START = ("PYTHON", "LD_")
# What is run by its name, and what is imported before: a package with all its modules.
IMPORTED = {
    "bridge": ("bridge.cli", "bridge.operating"),
    "bridge.receiver": ("bridge.receiver", "bridge.operating", "uvicorn.protocols.http", "uvicorn.loops", "uvicorn.lifespan"),
    "celery": ("workers", "celery.worker", "celery.bin", "celery.concurrency.thread", "kombu.transport.redis", "celery.app.amqp"),
}


class Fork:
    """A process with the interface of `subprocess.Popen`."""

    def __init__(self, module: str, *arguments: str, environ: Mapping[str, str], cwd: Path, files: Sequence[BinaryIO]) -> None:
        self._answers, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = {"arguments": arguments, "environ": dict(environ), "cwd": str(cwd)}
        with theirs:
            socket.send_fds(
                _parent(module), [json.dumps(request).encode()], [theirs.fileno(), *(file.fileno() for file in files)]
            )
        self.args = [module, *arguments]
        self.pid = int(self._answers.recv(64))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, if it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._answers], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._answers.recv(64))
            self._answers.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


Process = subprocess.Popen[bytes] | Fork


def can_fork(environ: Mapping[str, str]) -> bool:
    """Whether the environment has nothing that needs an executed process."""
    return not any(name.startswith(OF_A_START) for name in environ)


def run(
    *arguments: str, environ: Mapping[str, str], cwd: Path = ROOT, stdin: str = "", timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run `ghl-bridge`. Raises TimeoutExpired, as `subprocess.run` does."""
    if not can_fork(environ):
        command = [sys.executable, "-m", "bridge", *arguments]
        return subprocess.run(
            command, env=dict(environ), input=stdin, capture_output=True, text=True, timeout=timeout, check=False, cwd=cwd
        )
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        given.write(stdin.encode())
        given.seek(0)
        process = Fork("bridge", *arguments, environ=environ, cwd=cwd, files=(given, out, errors))
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(process.args, code, _text(out), _text(errors))


def _text(file: BinaryIO) -> str:
    file.seek(0)
    return file.read().decode()


@cache
def _parent(module: str) -> socket.socket:
    """The connection to the process with the imports for this one; it ends with this process."""
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MOST_BYTES)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forks", module],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"]},
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
        )

    def end() -> None:
        mine.close()
        process.wait()

    atexit.register(end)
    return mine


def main(module: str) -> None:
    """Fork for each request; this returns only in a fork, which continues as the module."""
    with socket.socket(fileno=os.dup(0)) as requests:
        _import(IMPORTED[module])
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            data, fds, _, _ = socket.recv_fds(requests, MOST_BYTES, 4)
            if not data:
                sys.exit()
            if os.fork() == 0:
                break
            for fd in fds:
                os.close(fd)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _watch(fds[0])
    _become(module, json.loads(data), fds[1:])


def _import(packages: Sequence[str]) -> None:
    for package in map(import_module, packages):
        for found in iter_modules(getattr(package, "__path__", ()), f"{package.__name__}."):
            with suppress(ImportError):  # what needs something that isn't installed
                if not found.name.endswith("__main__"):
                    import_module(found.name)
        if hasattr(package, "__getattr__"):
            # `workers.app` is made when Celery asks for it; the module of that name would stand in its place.
            vars(package).pop("app", None)
    # A fork that ends takes none of this apart.
    gc.freeze()


def _watch(told: int) -> None:
    """Fork again; the process in between reports the id of the process and, at its end, its exit code."""
    with socket.socket(fileno=told) as answers:
        pid = os.fork()
        if pid == 0:
            return
        answers.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        with suppress(BrokenPipeError):
            answers.send(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)


def _become(module: str, request: Mapping[str, Any], fds: Sequence[int]) -> None:
    """Turn this process into the requested one."""
    os.setsid()
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    sys.argv = [module, *request["arguments"]]


if __name__ == "__main__":
    main(sys.argv[1])
    runpy.run_module(sys.argv[0], run_name="__main__")
