"""Named operators: their roles and locations, and a hash of each token. Each expires at its time."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from bridge.model import LocationId, Operator, Role
from bridge.store.redis.connection import now_ms, reaching, scored, text
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.store.redis.connection import Redis

MARK_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class StoredOperator:
    """An operator, and when it was added and expires (ms)."""

    operator: Operator
    added_at_ms: int
    expires_at_ms: int


class Operators:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def add(self, name: str, role: Role, location_ids: Sequence[str], token: str, *, lasts_ms: int) -> StoredOperator | None:
        """Add an operator with this token; None if there is one of this name. An empty list of locations means all."""
        digest = _digest(token)
        with reaching("add an operator"):
            now = now_ms(self._redis)
            fields = {
                "role": role,
                "locations": list(location_ids),
                "digest": digest,
                "added_at": now,
                "expires_at": now + lasts_ms,
            }
            if not self._redis.set(key("operator", name), orjson.dumps(fields), px=lasts_ms, nx=True):
                return None
            pipe = self._redis.pipeline(transaction=True)
            pipe.set(key("operator_token", digest), name, px=lasts_ms)
            pipe.zremrangebyscore(key("operators"), "-inf", now)
            pipe.zadd(key("operators"), {name: now + lasts_ms})
            pipe.execute()
            last = scored(self._redis.zrange(key("operators"), -1, -1, withscores=True))
            self._redis.pexpireat(key("operators"), max((int(expires) for _, expires in last), default=now))
        return _stored(name, fields)

    def remove(self, name: str) -> bool:
        """Remove an operator; False if there is none of this name."""
        with reaching("remove an operator"):
            stored = self._redis.getdel(key("operator", name))
            self._redis.zrem(key("operators"), name)
            if stored:
                self._redis.delete(key("operator_token", orjson.loads(stored)["digest"]))
        return stored is not None

    def of_token(self, token: str) -> Operator | None:
        """The operator with this token; None if there is none."""
        digest = _digest(token)
        with reaching("look up a token"):
            name = self._redis.get(key("operator_token", digest))
        operator = self.named(text(name)) if name else None
        return operator if operator and operator.mark == digest[:MARK_CHARACTERS] else None

    def named(self, name: str) -> Operator | None:
        """The operator of this name."""
        with reaching("look for an operator"):
            stored = self._redis.get(key("operator", name))
        return _stored(name, orjson.loads(stored)).operator if stored else None

    def all(self) -> tuple[StoredOperator, ...]:
        """All operators, by name."""
        with reaching("list the operators"):
            names = sorted(text(one) for one in self._redis.zrange(key("operators"), 0, -1))
            found = self._redis.mget([key("operator", name) for name in names]) if names else []
        return tuple(_stored(name, orjson.loads(stored)) for name, stored in zip(names, found, strict=True) if stored)


def _digest(token: str) -> str:
    """Tokens are random and long: a plain hash can't be guessed back."""
    return sha256(token.encode()).hexdigest()


def _stored(name: str, fields: dict[str, Any]) -> StoredOperator:
    operator = Operator(
        name=name,
        role=Role(fields["role"]),
        location_ids=frozenset(map(LocationId, fields["locations"])) if fields["locations"] else None,
        mark=fields["digest"][:MARK_CHARACTERS],
    )
    return StoredOperator(operator, fields["added_at"], fields["expires_at"])
