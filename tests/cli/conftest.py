"""The command line as a process, with an environment that holds what a test gives it and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from cryptography.fernet import Fernet

if TYPE_CHECKING:
    from redis import Redis

ROOT = Path(__file__).parents[2]


class Run(Protocol):
    """Runs a command; `environ` is added to what the fixture gives."""

    def __call__(self, *arguments: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def bare(tmp_path: Path) -> Run:
    """No setting at all, but for a data folder in which nothing runs."""

    def run(*arguments: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        given = {"PATH": os.environ["PATH"], "BRIDGE_DATA_DIR": str(tmp_path), **environ}
        command = [sys.executable, "-m", "bridge", *arguments]
        return subprocess.run(command, env=given, input=stdin, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)

    return run


@pytest.fixture
def run(bare: Run, redis_url: str, redis: Redis) -> Run:
    """With an empty Redis and a secret key."""
    del redis
    usual = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": Fernet.generate_key().decode()}

    def with_redis(*arguments: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        return bare(*arguments, stdin=stdin, **{**usual, **environ})

    return with_redis
