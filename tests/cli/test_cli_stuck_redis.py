"""Commands on a Redis that is stuck (SIGSTOP): each says so, and none waits for longer than five seconds."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from bridge.broker import ANSWER_SECONDS
from bridge.cli.context import LOOK_SECONDS, NO_ANSWER_SECONDS
from tests.stored import own_redis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Run
    from tests.stored import OwnRedis

# What a command waits for, beside the time that Python takes to start; a busy machine takes more of all.
WAIT_SECONDS = 5.0


@pytest.fixture(scope="module")
def stuck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    """A Redis that takes connections and answers nothing."""
    with own_redis(tmp_path_factory.mktemp("redis")) as server:
        server.signal(signal.SIGSTOP)
        yield server
        server.signal(signal.SIGCONT)


COMMANDS = (
    *("locations list", "doctor", "explain ID", "secrets rotate", "dead-letters replay --all", "contacts show L C"),
    *("backup DIR", "up"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_waits_for_a_stuck_redis(bare: Run, stuck: OwnRedis, tmp_path: Path, command: str) -> None:
    """It ends with code 1 and a sentence; before, a list took 42 s and `doctor` 71."""
    assert LOOK_SECONDS + max(NO_ANSWER_SECONDS, ANSWER_SECONDS) < WAIT_SECONDS
    began = time.monotonic()
    bare("--version")
    start = time.monotonic() - began
    environ = {"REDIS_URL": stuck.url, "BRIDGE_SECRET_KEY": Fernet.generate_key().decode(), "GHL_API_URL": "http://127.0.0.1:1"}

    began = time.monotonic()
    done = bare(*command.replace("DIR", str(tmp_path / "copy")).split(), **environ)
    took = time.monotonic() - began

    assert done.returncode == 1
    assert "Redis" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert took < WAIT_SECONDS + 5 * start
