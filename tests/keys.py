"""Keys as tests name them: what each partition has a part of is meant in the partition of the location `here`.

A pattern (`*` as the second part, or within the first) is meant in all partitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.store.redis.partitions import ANY, key_at, keys, partition_of, prefix_of
from bridge.store.redis.partitions import key as key_of

if TYPE_CHECKING:
    from redis import Redis


def key(*parts: str, of: str = "here") -> str:
    """A key; `of` is a location whose partition is meant if the name doesn't tell."""
    if "*" in parts[0] or parts[1:2] == ("*",):
        return key_at(ANY, *parts)
    try:
        return key_of(*parts)
    except ValueError:
        return key_at(prefix_of(of), *parts)


def beside(location: str, count: int) -> list[str]:
    """Other locations of its partition."""
    names = (f"beside{number}" for number in range(10_000))
    return [name for name in names if partition_of(name) == partition_of(location)][:count]


def card(redis: Redis, name: str) -> int:
    """How many members a sorted set has in all partitions."""
    sizes: list[Any] = [redis.zcard(one) for one in keys(name)]
    return sum(sizes)
