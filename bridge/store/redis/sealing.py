"""Encryption of stored secrets: the newest key encrypts, any key decrypts. After a key rotation, records are re-encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bridge.store.redis.connection import reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import split_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from redis import Redis

# `changing`: another process keeps encrypting it with another key.
Resealed = Literal["resealed", "current", "unreadable", "gone", "changing"]

# Another process may write the record meanwhile, with its own key.
MOST_TRIES = 5


class Seal:
    """The keys, newest first."""

    def __init__(self, fernet_keys: Iterable[str]) -> None:
        each = [Fernet(one) for one in fernet_keys]
        self._newest = each[0]
        self._all = MultiFernet(each)

    def close(self, content: bytes) -> str:
        """Encrypt with the newest key."""
        return self._newest.encrypt(content).decode()

    def open(self, sealed: str) -> bytes | None:
        """Decrypt with the matching key; None if there is none."""
        try:
            return self._all.decrypt(sealed)
        except InvalidToken:
            return None

    def is_current(self, sealed: str) -> bool:
        """Whether it is encrypted with the newest key."""
        try:
            self._newest.decrypt(sealed)
        except InvalidToken:
            return False
        return True


class Resealing:
    """Re-encrypts records, one at a time, if they are encrypted with an older key. Raises Unavailable."""

    def __init__(self, redis: Redis, seal: Seal) -> None:
        self._redis = redis
        self._seal = seal
        self._reseal = redis.register_script(script("reseal"))

    def reseal(self, name: str, field: str, made_of: Callable[[bytes], Mapping[str, str]]) -> Resealed:
        """Re-encrypt a field of the record with this key.

        `made_of` returns the fields to write, the encrypted one first, from the content.
        """
        prefix, record = split_key(name)
        for _ in range(MOST_TRIES):
            with reaching(f"read {record}"):
                sealed = text(self._redis.hget(name, field) or "")
            if not sealed:
                return "gone"
            if self._seal.is_current(sealed):
                return "current"
            content = self._seal.open(sealed)
            if content is None:
                return "unreadable"
            fields = [part for pair in made_of(content).items() for part in pair]
            with reaching(f"seal {record} again"):
                if self._reseal(keys=[prefix], args=[record, field, sealed, *fields]):
                    return "resealed"
        return "changing"
