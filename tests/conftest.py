"""What all tests share: a real Redis of their own, started from what the project ships."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from redis import Redis

from bridge.cli import redis_server
from bridge.store.connection import connect

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis with append-only file for the whole session."""
    command, url = redis_server.prepare(tmp_path_factory.mktemp("redis"))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        _wait_for(url)
        yield url
        server.terminate()


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """An empty Redis."""
    client = connect(redis_url)
    client.flushall()
    yield client
    client.close()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 10
    with Redis.from_url(url) as probe:
        while True:
            try:
                probe.ping()
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return
