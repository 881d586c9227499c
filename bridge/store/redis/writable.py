"""Whether this Redis accepts writes by scripts, and whether it contains the state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.errors import Unavailable
from bridge.store.redis.confirmations import Confirmation
from bridge.store.redis.connection import reaching
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import one_of_each_server

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis

NO_LOCATION = "no location: run `locations apply`; or REDIS_URL names another Redis than before, or it was emptied"
BELIEVED_MS = 60_000
# The same time as for an accepted message (wiring.ACCEPT_SECONDS).
CONFIRMED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class TriedWrite:
    """The result of a small write by a script. `refused` is the server's reason; empty: the write succeeded.

    `partly` are the reasons of some nodes of a cluster, while others accept writes.
    """

    refused: str = ""
    had_location: bool = True
    partly: tuple[str, ...] = ()

    @property
    def why_not(self) -> str:
        """Why no webhook can be accepted; empty if webhooks can."""
        return self.refused or ("" if self.had_location else NO_LOCATION)


def try_write(redis: Redis, *, replicas: int = 0) -> TriedWrite:
    """Make a small write on each server, and wait for a number of replicas. If reads fail too, the caller's own calls raise."""
    try:
        with reaching("write"):
            servers = one_of_each_server(redis)
    except Unavailable as error:
        return TriedWrite(refused=str(error))
    tried = [_try_at(redis, name, prefix, replicas) for name, prefix in servers.items()]
    refused = tuple(one.refused for one in tried if one.refused)
    had_location = any(one.had_location for one in tried)
    if len(refused) == len(tried):
        return TriedWrite(refused="; ".join(refused), had_location=had_location)
    return TriedWrite(had_location=had_location, partly=refused)


def _try_at(redis: Redis, server: str, prefix: str, replicas: int) -> TriedWrite:
    probe = redis.register_script(script("probe"))
    try:
        with reaching("write"):
            confirmation, args = Confirmation(replicas), ["write", "", BELIEVED_MS]
            found, unconfirmed = confirmation.run(redis, probe, args, at=prefix, seconds=CONFIRMED_SECONDS)
    except Unavailable as error:
        return TriedWrite(refused=str(error))
    named = f"its node {server}: {unconfirmed}" if server and unconfirmed else unconfirmed
    return TriedWrite(refused=named, had_location=bool(int(found)))
