"""Console logins that an operator ended: their cookies, and copies of them, are invalid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.redis.connection import reaching
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis


class EndedLogins:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def end(self, login: str, *, seconds: int) -> None:
        """Store for `seconds` that a login is over, also for copies of its cookie."""
        with reaching("end a login"):
            self._redis.set(key("logins", "ended", login), 1, ex=seconds)

    def is_over(self, login: str) -> bool:
        """Whether a login was ended."""
        with reaching("check whether a login is over"):
            return bool(self._redis.exists(key("logins", "ended", login)))
