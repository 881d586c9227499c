"""Whether this Redis takes writes of the scripts' own kind, and whether it is the one that holds the state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.errors import Unavailable
from bridge.store.redis.confirmations import Confirmation
from bridge.store.redis.connection import reaching
from bridge.store.redis.lua import script

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis

NO_LOCATION = "no location: run `locations apply`; or REDIS_URL names another Redis than before, or it was emptied"
BELIEVED_MS = 60_000
# An accept has no more time for it either (wiring.ACCEPT_SECONDS).
CONFIRMED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class TriedWrite:
    """What one small scripted write showed. `refused` is the server's reason in words; empty: it was done."""

    refused: str = ""
    had_location: bool = True

    @property
    def why_not(self) -> str:
        """Why nothing can be accepted; empty if it can."""
        return self.refused or ("" if self.had_location else NO_LOCATION)


def try_write(redis: Redis, *, replicas: int = 0) -> TriedWrite:
    """Write something small, and wait for so many replicas. What can't be read either is for the caller's own calls to tell."""
    probe = redis.register_script(script("probe"))
    try:
        with reaching("write"):
            found, unconfirmed = Confirmation(replicas).run(redis, probe, ["write", "", BELIEVED_MS], seconds=CONFIRMED_SECONDS)
    except Unavailable as error:
        return TriedWrite(refused=str(error))
    return TriedWrite(refused=unconfirmed, had_location=bool(int(found)))
