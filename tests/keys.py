"""Keys as tests name them: what each partition has a part of is meant in the partition of the location `here`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.store.redis.partitions import key as key_of
from bridge.store.redis.partitions import key_at, keys, partition_of, prefix_of

if TYPE_CHECKING:
    from redis import Redis


def key(*parts: str, of: str = "here") -> str:
    """A key; `of` is a location whose partition is meant if the name doesn't tell."""
    try:
        return key_of(*parts)
    except ValueError:
        return key_at(prefix_of(of), *parts)


def beside(location: str, count: int) -> list[str]:
    """Other locations in its partition."""
    names = (f"beside{number}" for number in range(10_000))
    return [name for name in names if partition_of(name) == partition_of(location)][:count]


def card(redis: Redis, name: str) -> int:
    """The number of members of a sorted set in all partitions."""
    sizes: list[Any] = [redis.zcard(one) for one in keys(name)]
    return sum(sizes)
