"""The command line as processes that needn't import it: forks of one process that has imported it already.

An import of the whole bridge takes half a second of CPU, a fork a few milliseconds, and the tests run many hundred commands. Each
is a process of its own nevertheless, with an environment, a folder, a standard input and two outputs of its own, and an end that
is the interpreter's. `python -m bridge` itself is run by what tests terminals, installs and the README's commands.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
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
    from typing import BinaryIO

ROOT = Path(__file__).parents[1]
MOST_BYTES = 1_000_000
# What only a process that is executed obeys: read by the interpreter or by the linker, before any module.
OF_A_START = ("PYTHON", "LD_")


def run(
    *arguments: str, environ: Mapping[str, str], cwd: Path = ROOT, stdin: str = "", timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run `ghl-bridge`. Raises TimeoutExpired, as `subprocess.run` does."""
    if any(name.startswith(OF_A_START) for name in environ):
        command = [sys.executable, "-m", "bridge", *arguments]
        return subprocess.run(
            command, env=dict(environ), input=stdin, capture_output=True, text=True, timeout=timeout, check=False, cwd=cwd
        )
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        given.write(stdin.encode())
        given.seek(0)
        code = _run({"arguments": arguments, "environ": dict(environ), "cwd": str(cwd)}, (given, out, errors), timeout)
        return subprocess.CompletedProcess(["ghl-bridge", *arguments], code, _text(out), _text(errors))


def _run(request: Mapping[str, Any], files: Sequence[BinaryIO], timeout: float) -> int:
    mine, theirs = socket.socketpair()
    with mine:
        with theirs:
            data = json.dumps(request).encode()
            socket.send_fds(_parent(), [data], [theirs.fileno(), *(file.fileno() for file in files)])
        answers = mine.makefile("r", encoding="ascii")
        pid = int(answers.readline())
        mine.settimeout(timeout)
        try:
            return int(answers.readline())
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(request["arguments"]), timeout) from None


def _text(file: BinaryIO) -> str:
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n")


@cache
def _parent() -> socket.socket:
    """The way to the process that has imported everything; it ends with this one."""
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MOST_BYTES)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forks"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"]},
            stdin=theirs,
            stdout=subprocess.DEVNULL,
        )

    def end() -> None:
        mine.close()
        process.wait()

    atexit.register(end)
    return mine


def main() -> None:
    """Fork for each request; what returns from here is a fork, which goes on as the command."""
    with socket.socket(fileno=os.dup(0)) as requests:
        _import_everything()
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
    _become(json.loads(data), fds[1:])


def _import_everything() -> None:
    cli = import_module("bridge.cli")
    for module in iter_modules(cli.__path__, "bridge.cli."):
        import_module(module.name)
    # A fork that ends takes none of this apart.
    gc.freeze()


def _watch(told: int) -> None:
    """Fork once more; the one in between tells the command's process id and, at its end, its exit code."""
    with socket.socket(fileno=told) as answers:
        pid = os.fork()
        if pid == 0:
            return
        answers.sendall(f"{pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        answers.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)


def _become(request: Mapping[str, Any], fds: Sequence[int]) -> None:
    """Make this process what the request asks for."""
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    sys.argv = ["ghl-bridge", *request["arguments"]]


if __name__ == "__main__":
    main()
    runpy.run_module("bridge", run_name="__main__")
