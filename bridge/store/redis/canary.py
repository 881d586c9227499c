"""A sealed word by which a process learns at its start whether its keys fit this state, and who lives with other keys."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from bridge.errors import Misconfigured
from bridge.store.redis.connection import key, now_ms, reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.sealing import Resealing, Seal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.store.redis.connection import Redis
    from bridge.store.redis.sealing import Resealed

WORD = b"ghl-bridge"
ALIVE_MS = 30_000
WRONG_KEY = (
    "BRIDGE_SECRET_KEY opens nothing of what is kept in this Redis: put the key that it was kept with behind the new one. "
    "If that key is lost: `ghl-bridge locations apply FILE --replace-unreadable`, with every token in the file"
)


class Canary:
    """Of one process. Every method raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis, fernet_keys: Sequence[str]) -> None:
        self._redis = redis
        self._seal = Seal(fernet_keys)
        self._resealing = Resealing(redis, self._seal)
        self._register = redis.register_script(script("register_keys"))
        self._names = [sha256(one.encode()).hexdigest()[:16] for one in fernet_keys]

    def check(self) -> None:
        """Leave the word where there is none. Raises Misconfigured if none of the keys opens what is kept."""
        with reaching("look for the key of what is kept"):
            sealed = self._redis.hget(key("canary"), "sealed") or self._sample()
            if sealed and self._seal.open(text(sealed)) is None:
                raise Misconfigured(WRONG_KEY)
            self._redis.hsetnx(key("canary"), "sealed", self._seal.close(WORD))

    def is_foreign(self) -> bool:
        """Whether the word is there, and none of our keys opens it."""
        with reaching("look for the key of what is kept"):
            sealed = self._redis.hget(key("canary"), "sealed")
        return bool(sealed) and self._seal.open(text(sealed)) is None

    def replace(self) -> None:
        """Seal the word with our own key, whatever it was sealed with."""
        with reaching("seal the canary"):
            self._redis.hset(key("canary"), "sealed", self._seal.close(WORD))

    def reseal(self) -> Resealed:
        """Seal the word with the newest key."""
        return self._resealing.reseal("canary", "sealed", lambda word: {"sealed": self._seal.close(word)})

    def register(self) -> None:
        """Tell that a process with these keys lives; believed for some seconds."""
        with reaching("tell its keys"):
            self._register(args=[",".join(self._names), ALIVE_MS])

    def others_live(self) -> bool:
        """Whether a process lives that has none of our keys."""
        with reaching("look for processes with other keys"):
            live = self._redis.zrangebyscore(key("keys"), f"({now_ms(self._redis)}", "+inf")
        return any(not set(text(each).split(",")) & set(self._names) for each in live)

    def _sample(self) -> object:
        """A state of an older version has no word, but locations."""
        some = self._redis.srandmember(key("locations"))
        return self._redis.hget(key("location", text(some)), "settings") if some else None
