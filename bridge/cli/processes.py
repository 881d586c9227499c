"""Child processes that end with this process, each with its own log file."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

from bridge.errors import DidNotWork

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

STOP_SECONDS = 25.0
PR_SET_PDEATHSIG = 1


class Processes:
    """Starts processes and stops them in reverse order when the block ends."""

    def __init__(self, logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._started: dict[str, tuple[list[str], dict[str, str]]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in reversed(self._running.values()):
            _stop(process)

    def start(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> None:
        """Start a process. Its output is appended to NAME.log."""
        mode = "ab" if name in self._started else "wb"
        self._started[name] = list(command), dict(environ)
        with (self._logs / f"{name}.log").open(mode) as log:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own commands only
                list(command),
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - this process has no other thread
            )

    def crash(self, name: str) -> None:
        """Kill a process and its children with SIGKILL, so that it can't clean up, and start it again."""
        process = self._running[name]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.start(name, *self._started[name])

    def stop(self, name: str) -> None:
        """Stop one process with SIGTERM, and wait for its end."""
        _stop(self._running.pop(name))

    def wait_until(self, what: str, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait until `ready` is true. Raises DidNotWork if that takes longer than `seconds`, or if a process ends."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if ready():
                    return
            self.check()
            time.sleep(0.05)
        raise DidNotWork(f"waited {seconds:.0f} s for {what}; the logs are in {self._logs}")

    def check(self) -> None:
        """Raise DidNotWork if a process has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                tail = (self._logs / f"{name}.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
                raise DidNotWork(f"{name} ended with code {process.returncode}: {' | '.join(tail)}")


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _die_with_parent() -> None:
    """The child ignores a terminal's Ctrl-C, which the parent handles; if the parent is killed, so is the child (Linux)."""
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
