"""A command on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

ROOT = Path(__file__).parents[2]


def on_a_terminal(*words: str, typed: str = "", columns: str = "80", **environ: str) -> str:
    """The output on a terminal; `typed` is the person's input."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(columns), 0, 0))
    command = [sys.executable, "-m", "bridge", *words]
    given = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", **environ}
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=given, cwd=ROOT) as process:
        os.close(slave)
        os.write(master, typed.encode())
        said = b""
        try:
            while chunk := os.read(master, 4096):
                said += chunk
        except OSError:  # how a terminal says that nobody is there any more
            pass
        process.wait()
    os.close(master)
    return said.decode()
