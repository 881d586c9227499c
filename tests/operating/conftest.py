"""Operations as command line, API and console call them, with a real Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.operating.local import LocalOperations
from bridge.operating.services import AdminServices
from bridge.settings import from_environment
from tests.stored import FERNET_KEY
from tests.world import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from bridge.operating.operation import Operations
    from tests.world import World


@pytest.fixture
def admin_services(redis_url: str, redis: Redis) -> Iterator[AdminServices]:
    """The services of operations, with an empty Redis."""
    del redis
    admin_services = AdminServices(from_environment({"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY}))
    yield admin_services
    admin_services.close()


@pytest.fixture
def perform(admin_services: AdminServices) -> Operations:
    """The operations, executed like the command line does."""
    return LocalOperations(admin_services, who="cli")


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    """GHL and a completion service for one lane."""
    with opened(redis) as world:
        yield world
