"""The settings of a command, and the executor of its operations."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import orjson

from bridge.errors import Misconfigured, Unavailable
from bridge.settings import Settings, from_environment

if TYPE_CHECKING:
    from collections.abc import Sized
    from pathlib import Path

    from bridge.operating.operation import Operations

T = TypeVar("T")

RUNNING = "running.json"
# The wait for a stuck Redis: with Python's start, every command takes less than five seconds.
LOOK_SECONDS, NO_ANSWER_SECONDS = 1.0, 2.5


def settings() -> Settings:
    """The settings of the environment; without REDIS_URL, those of a running `demo` or `up` in the data folder.

    Raises Misconfigured.
    """
    mine = from_environment(os.environ)
    if mine.redis_url is not None:
        return mine
    return from_environment({**_running(mine.data_dir), **os.environ})


def operations() -> Operations:
    """The executor of operations: remote if BRIDGE_URL is set, else local, with the Redis of REDIS_URL. Raises Misconfigured."""
    here = settings()
    if here.bridge_url:
        return _elsewhere(here)
    from bridge.operating.local import LocalOperations
    from bridge.operating.services import AdminServices
    from bridge.store.redis.schema import look
    from bridge.store.redis.waiting import wait_at_most, waiting_at_most

    admin_services = AdminServices(here)
    if here.redis_url is not None:
        with suppress(Unavailable), waiting_at_most(LOOK_SECONDS):  # the command itself reports the error
            look(admin_services.redis)
    wait_at_most(NO_ANSWER_SECONDS)
    return LocalOperations(admin_services, who="cli")


def _elsewhere(here: Settings) -> Operations:
    from bridge.operating.remote import RemoteOperations
    from bridge.wire.calls import Wire

    if here.admin_token is None:
        raise Misconfigured("BRIDGE_URL is set, but BRIDGE_ADMIN_TOKEN is not: set it to the admin token of that server")
    return RemoteOperations(Wire(), url=here.bridge_url, token=here.admin_token.get_secret_value())


def _running(folder: Path) -> dict[str, str]:
    try:
        found = orjson.loads((folder / RUNNING).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def expect_location(location_id: str, found: Sized) -> None:
    """Tell an empty list from a wrong id. Raises NotKnown if nothing was found of a location that is not known.

    Something may be found of a location that was removed.
    """
    if location_id and not found:
        from bridge.operating.locations import LocationQuery, show

        operations()(show, LocationQuery(location_id))
