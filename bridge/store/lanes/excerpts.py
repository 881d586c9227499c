"""What a service said when it failed: sealed like tokens, one text a turn, the newest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.errors import Misconfigured
from bridge.store.redis.connection import reaching, text
from bridge.store.redis.partitions import ANY, key_at, prefix_of_turn, split_key
from bridge.store.redis.sealing import Resealing, Seal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from redis import Redis

    from bridge.model import Turn
    from bridge.store.lanes import patch
    from bridge.store.redis.sealing import Resealed

BATCH = 1000


@dataclass(frozen=True, slots=True)
class SealedExcerpt:
    """An excerpt that a step of a turn keeps: who said it, and what, sealed."""

    provider: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """An excerpt as it is read: who said it, when (ms, by Redis' clock), and what."""

    provider: str
    at_ms: int
    text: str


def kept_of(turn: Turn, excerpt: SealedExcerpt | None) -> patch.ExcerptPatch | None:
    """An excerpt as a step's patch has it: under the turn's id, in the place of an earlier one; None without one."""
    return {"id": turn.id, "provider": excerpt.provider, "sealed": excerpt.sealed} if excerpt else None


def known_of(turn: Turn, knowledge: SealedExcerpt) -> patch.ExcerptPatch:
    """The words that an answer rests on, kept likewise, under an id of their own."""
    return {"id": f"{turn.id}-knowledge", "provider": knowledge.provider, "sealed": knowledge.sealed}


def told_of(turn: Turn, excerpt: SealedExcerpt | None) -> dict[str, str]:
    """What a step's event tells of it: under which id it can be asked for."""
    return {"excerpt_id": turn.id} if excerpt else {}


class Excerpts:
    """All excerpts, each under the id of its turn, which is that of its dead letter. Raises Unavailable without Redis.

    Lanes write them with the steps that they belong to.
    """

    def __init__(self, redis: Redis, *, fernet_keys: Iterable[str]) -> None:
        self._redis = redis
        self._seal = Seal(fernet_keys)
        self._resealing = Resealing(redis, self._seal)

    def seal(self, text: str, *, provider: str) -> SealedExcerpt:
        """Seal a text with the newest key."""
        return SealedExcerpt(provider, self._seal.close(text.encode()))

    def get(self, id_: str) -> Excerpt | None:
        """What is kept of a turn; None if nothing is, or no longer. Raises Misconfigured if no key opens it."""
        with reaching(f"read what the service said of {id_}"):
            fields = {text(name): text(value) for name, value in self._redis.hgetall(self._name(id_)).items()}
        if not fields:
            return None
        opened = self._seal.open(fields["sealed"])
        if opened is None:
            raise Misconfigured(
                f"BRIDGE_SECRET_KEY does not open what the service said of {id_}: put the key of that time after the new one"
            )
        return Excerpt(fields["provider"], int(fields["at"]), opened.decode())

    def _name(self, id_: str) -> str:
        return key_at(prefix_of_turn(self._redis, "excerpt", id_), "excerpt", id_)

    def ids(self) -> tuple[str, ...]:
        """The turns of which anything is kept."""
        with reaching("list what services said"):
            found = self._redis.scan_iter(f"{ANY}excerpt:*", count=BATCH)
            return tuple(sorted(split_key(text(name))[1].removeprefix("excerpt:") for name in found))

    def reseal(self, id_: str) -> Resealed:
        """Seal one with the newest key, if an older one has sealed it."""

        def made_of(said: bytes) -> dict[str, str]:
            return {"sealed": self._seal.close(said)}

        with reaching(f"look for what the service said of {id_}"):
            name = self._name(id_)
        return self._resealing.reseal(name, "sealed", made_of)
