"""An encrypted word: at its start, a process checks with it whether its keys can decrypt the data in this Redis."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from bridge.errors import Misconfigured
from bridge.store.redis.connection import now_ms, reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import HOME, key, members
from bridge.store.redis.sealing import Resealing, Seal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.store.redis.connection import Redis
    from bridge.store.redis.sealing import Resealed

WORD = b"ghl-bridge"
ALIVE_MS = 30_000
WRONG_KEY = (
    "BRIDGE_SECRET_KEY can decrypt nothing in this Redis: add the key that encrypted its data after the new one. "
    "If that key is lost: `ghl-bridge locations apply FILE --replace-unreadable`, with every token in the file"
)


class Canary:
    """The check of one process. Each method raises Unavailable if Redis can't be reached."""

    def __init__(self, redis: Redis, fernet_keys: Sequence[str]) -> None:
        self._redis = redis
        self._seal = Seal(fernet_keys)
        self._resealing = Resealing(redis, self._seal)
        self._register = redis.register_script(script("register_keys"))
        self._names = [sha256(one.encode()).hexdigest()[:16] for one in fernet_keys]

    def check(self) -> None:
        """Write the word if there is none. Raises Misconfigured if none of the keys can decrypt the stored data."""
        with reaching("check the encryption keys"):
            sealed = self._redis.hget(key("canary"), "sealed") or self._sample()
            if sealed and self._seal.open(text(sealed)) is None:
                raise Misconfigured(WRONG_KEY)
            self._redis.hsetnx(key("canary"), "sealed", self._seal.close(WORD))

    def is_foreign(self) -> bool:
        """Whether there is a word that none of our keys can decrypt."""
        with reaching("check the encryption keys"):
            sealed = self._redis.hget(key("canary"), "sealed")
        return bool(sealed) and self._seal.open(text(sealed)) is None

    def replace(self) -> None:
        """Encrypt the word with our key and overwrite the stored one."""
        with reaching("seal the canary"):
            self._redis.hset(key("canary"), "sealed", self._seal.close(WORD))

    def reseal(self) -> Resealed:
        """Encrypt the word with the newest key."""
        return self._resealing.reseal(key("canary"), "sealed", lambda word: {"sealed": self._seal.close(word)})

    def register(self) -> None:
        """Register that a process with these keys runs; valid for some seconds."""
        with reaching("tell its keys"):
            self._register(keys=[HOME], args=[",".join(self._names), ALIVE_MS])

    def others_live(self) -> bool:
        """Whether a process runs that has none of our keys."""
        with reaching("look for processes with other keys"):
            live = self._redis.zrangebyscore(key("keys"), f"({now_ms(self._redis)}", "+inf")
        return any(not set(text(each).split(",")) & set(self._names) for each in live)

    def _sample(self) -> object:
        """A secret of a location: Redis data of an older version has no word, but locations."""
        some = next(iter(members(self._redis, "locations")), None)
        return self._redis.hget(key("location", some), "settings") if some else None
