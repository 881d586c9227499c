"""Excerpts of services' failed answers: encrypted like tokens, one text per turn, the newest."""

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
    """An excerpt to store with a step of a turn: the name of the service, and its encrypted text."""

    provider: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stored excerpt: the name of the service, the time (ms, Redis' clock), and the text."""

    provider: str
    at_ms: int
    text: str


def excerpt_patch(turn: Turn, excerpt: SealedExcerpt | None) -> patch.ExcerptPatch | None:
    """The excerpt in the patch of a step: under the turn's id, in place of an earlier one; None without one."""
    return {"id": turn.id, "provider": excerpt.provider, "sealed": excerpt.sealed} if excerpt else None


def knowledge_patch(turn: Turn, knowledge: SealedExcerpt) -> patch.ExcerptPatch:
    """The texts on which an answer is based, in the patch of a step, with a separate id."""
    return {"id": f"{turn.id}-knowledge", "provider": knowledge.provider, "sealed": knowledge.sealed}


def excerpt_field(turn: Turn, excerpt: SealedExcerpt | None) -> dict[str, str]:
    """The field of a step's event: the id of the excerpt."""
    return {"excerpt_id": turn.id} if excerpt else {}


class Excerpts:
    """All excerpts, by the id of their turn, which is also that of its dead letter. Raises Unavailable if Redis can't be reached.

    `Lanes` writes them with the steps of the turn.
    """

    def __init__(self, redis: Redis, *, fernet_keys: Iterable[str]) -> None:
        self._redis = redis
        self._seal = Seal(fernet_keys)
        self._resealing = Resealing(redis, self._seal)

    def seal(self, text: str, *, provider: str) -> SealedExcerpt:
        """Encrypt a text with the newest key."""
        return SealedExcerpt(provider, self._seal.close(text.encode()))

    def get(self, id_: str) -> Excerpt | None:
        """The excerpt of a turn; None if there is none, or no longer. Raises Misconfigured if no key decrypts it."""
        with reaching(f"read the service's error text for {id_}"):
            fields = {text(name): text(value) for name, value in self._redis.hgetall(self._name(id_)).items()}
        if not fields:
            return None
        opened = self._seal.open(fields["sealed"])
        if opened is None:
            raise Misconfigured(
                f"BRIDGE_SECRET_KEY does not decrypt the service's error text for {id_}: add its key after the new one"
            )
        return Excerpt(fields["provider"], int(fields["at"]), opened.decode())

    def _name(self, id_: str) -> str:
        return key_at(prefix_of_turn(self._redis, "excerpt", id_), "excerpt", id_)

    def ids(self) -> tuple[str, ...]:
        """The ids of the turns that have an excerpt."""
        with reaching("list error texts of services"):
            found = self._redis.scan_iter(f"{ANY}excerpt:*", count=BATCH)
            return tuple(sorted(split_key(text(name))[1].removeprefix("excerpt:") for name in found))

    def reseal(self, id_: str) -> Resealed:
        """Re-encrypt an excerpt with the newest key."""

        def made_of(said: bytes) -> dict[str, str]:
            return {"sealed": self._seal.close(said)}

        with reaching(f"look for the service's error text for {id_}"):
            name = self._name(id_)
        return self._resealing.reseal(name, "sealed", made_of)
