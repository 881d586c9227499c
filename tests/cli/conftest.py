"""The command line as a process, with exactly the environment that a test sets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

import pytest
from cryptography.fernet import Fernet

from tests import forks

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from redis import Redis


class Run(Protocol):
    """Runs a command; `environ` is added to the fixture's environment."""

    def __call__(self, *arguments: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def bare(tmp_path: Path) -> Run:
    """No settings except a data folder in which nothing runs."""

    def run(*arguments: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        given = {"PATH": os.environ["PATH"], "BRIDGE_DATA_DIR": str(tmp_path), **environ}
        return forks.run(*arguments, environ=given, stdin=stdin)

    return run


@pytest.fixture
def run(bare: Run, redis_url: str, redis: Redis) -> Run:
    """Commands with an empty Redis and a secret key."""
    del redis
    usual = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": Fernet.generate_key().decode()}

    def with_redis(*arguments: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        return bare(*arguments, stdin=stdin, **{**usual, **environ})

    return with_redis
