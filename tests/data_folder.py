"""A data folder of `demo` and `up`, the commands that use it, and the processes that they leave."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli import redis_server
from tests.story.machine import clean_environment, poll

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMMAND = str(Path(sys.executable).parent / "ghl-bridge")


class Folder:
    """A data folder and the commands that use it; processes are found by the folder's name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ = {**clean_environment(os.environ), "BRIDGE_DATA_DIR": str(path), "PORT": str(redis_server.free_port())}
        self.environ["WORKER_CONCURRENCY"] = "5"
        self.said = path.parent / f"{path.name}.said"
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, command: Sequence[str] = (COMMAND,), **environ: str) -> subprocess.Popen[bytes]:
        """Start a command in its own session, with unbuffered output."""
        with self.said.open("ab") as file:
            process = subprocess.Popen(
                [*command, *arguments],
                env={**self.environ, "PYTHONUNBUFFERED": "1", **environ},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run([COMMAND, *arguments], env=self.environ, capture_output=True, text=True, timeout=90, check=False)

    def text(self) -> str:
        """All printed text."""
        return self.said.read_text(encoding="utf-8")

    def says(self, words: str, *, seconds: float = 40) -> str:
        """Wait until something was printed."""
        return poll(
            f"{words!r} in the output", lambda: self.text() if words in self.text() else "", seconds=seconds, told=self.text
        )

    def processes(self) -> list[str]:
        """The processes with this data folder in their environment or their command line."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                # Redis writes its title over both, but it works in the folder.
                told += str((entry / "cwd").readlink()).encode()
            except OSError:
                continue
            if str(self.path).encode() in told and state != "Z":
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:100])
        return found


@contextmanager
def data_folder(path: Path) -> Iterator[Folder]:
    """A folder; at the end all processes that were started there are killed, and none is left."""
    folder = Folder(path)
    yield folder
    for process in folder.started:
        if process.poll() is None:
            process.kill()
        process.wait(10)
    if sys.platform == "linux":
        poll("an end of all processes", lambda: not folder.processes(), seconds=30)
