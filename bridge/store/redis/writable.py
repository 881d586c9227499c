"""Whether this Redis takes writes of the scripts' own kind, and whether it is the one that holds the state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.errors import Unavailable
from bridge.store.redis.connection import reaching
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import HOME

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis

NO_LOCATION = "no location: run `locations apply`; or REDIS_URL names another Redis than before, or it was emptied"
BELIEVED_MS = 60_000


@dataclass(frozen=True, slots=True)
class TriedWrite:
    """What one small scripted write showed. `refused` is the server's reason in words; empty: it was done."""

    refused: str = ""
    had_location: bool = True

    @property
    def why_not(self) -> str:
        """Why nothing can be accepted; empty if it can."""
        return self.refused or ("" if self.had_location else NO_LOCATION)


def try_write(redis: Redis) -> TriedWrite:
    """Write something small. What can't be read either is for the caller's own calls to tell."""
    try:
        with reaching("write"):
            found = redis.register_script(script("probe"))(keys=[HOME], args=["write", "", BELIEVED_MS])
    except Unavailable as error:
        return TriedWrite(refused=str(error))
    return TriedWrite(had_location=bool(int(found)))
