"""Commands with a stuck Redis (SIGSTOP): each prints an error within five seconds."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from bridge.broker import ANSWER_SECONDS
from bridge.cli.context import LOOK_SECONDS, NO_ANSWER_SECONDS
from tests import forks
from tests.stored import own_redis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stored import OwnRedis

# What a command waits for, beside the time that Python takes to start; a busy machine takes more of all.
WAIT_SECONDS = 5.0

Ended = tuple[subprocess.CompletedProcess[str], float]


@pytest.fixture(scope="module")
def stuck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    """A Redis that accepts connections and never answers."""
    with own_redis(tmp_path_factory.mktemp("redis")) as server:
        server.signal(signal.SIGSTOP)
        yield server
        server.signal(signal.SIGCONT)


COMMANDS = (
    *("locations list", "doctor", "explain ID", "secrets rotate", "dead-letters replay --all", "contacts show L C"),
    *("backup DIR", "up"),
)


@pytest.fixture(scope="module")
def ended(stuck: OwnRedis, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """Each command's result and its seconds. They mostly wait, so all run at the same time."""
    folder = tmp_path_factory.mktemp("data")
    settings = {"REDIS_URL": stuck.url, "BRIDGE_SECRET_KEY": Fernet.generate_key().decode(), "GHL_API_URL": "http://127.0.0.1:1"}
    environ = {"PATH": os.environ["PATH"], "BRIDGE_DATA_DIR": str(folder), **settings}

    def run(command: str) -> Ended:
        began = time.monotonic()
        done = forks.run(*command.replace("DIR", str(folder / "copy")).split(), environ=environ)
        return done, time.monotonic() - began

    with ThreadPoolExecutor(len(COMMANDS) + 1) as many:
        return dict(zip(("--version", *COMMANDS), many.map(run, ("--version", *COMMANDS)), strict=True))


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_waits_for_a_stuck_redis(ended: dict[str, Ended], command: str) -> None:
    """It ends with code 1 and a sentence; earlier, a list took 42 s and `doctor` 71."""
    assert LOOK_SECONDS + max(NO_ANSWER_SECONDS, ANSWER_SECONDS) < WAIT_SECONDS
    (done, took), (_, start) = ended[command], ended["--version"]

    assert done.returncode == 1
    assert "Redis" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert took < WAIT_SECONDS + 5 * start
