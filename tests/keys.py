"""Keys as tests name them: what each partition has a part of is meant in the partition of the location `here`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.store.redis.partitions import ANY, OF_EACH, OF_HOME, key_at, keys, partition_of, prefix_of
from bridge.store.redis.partitions import key as key_of

if TYPE_CHECKING:
    from redis import Redis


def key(*parts: str, of: str = "here") -> str:
    """A key; `of` is a location whose partition is meant if the name doesn't tell. Raises ValueError for a pattern of several."""
    if "*" in parts[0] or (parts[1:2] == ("*",) and parts[0] not in OF_HOME | OF_EACH):
        raise ValueError(f"{parts} may be in any partition: use `pattern`")
    try:
        return key_of(*parts)
    except ValueError:
        return key_at(prefix_of(of), *parts)


def pattern(*parts: str) -> str:
    """The pattern of keys in whichever partition."""
    return ANY + ":".join(parts)


def beside(location: str, count: int) -> list[str]:
    """Other locations in its partition."""
    names = (f"beside{number}" for number in range(10_000))
    return [name for name in names if partition_of(name) == partition_of(location)][:count]


def card(redis: Redis, name: str) -> int:
    """The number of members of a sorted set in all partitions."""
    sizes: list[Any] = [redis.zcard(one) for one in keys(name)]
    return sum(sizes)
