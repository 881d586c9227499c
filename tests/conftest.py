"""What all tests share: a real Redis of their own, started from what the project ships."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.cli import redis_server
from bridge.store.redis.connection import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis with append-only file for the whole session."""
    with redis_server.running(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """An empty Redis."""
    client = connect(redis_url)
    client.flushall()
    yield client
    client.close()
