"""Partitions: each location belongs to one of 16. All keys of a partition have its hash tag, and so one slot of a cluster.

The number of partitions and the tags never change, because they are part of all keys. Keys of no location are in partition 0,
`HOME`. Keys of turns and dead letters contain no location: the first two digits of their ids are the number of the partition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from redis import Redis

PARTITIONS = 16
# With its suffix, the hash slot of each tag is in its own sixteenth of a cluster's slots, so that 2, 4, 8 or 16 primaries get the
# same number of partitions each.
SUFFIXES = ("a", "b", "bb", "ba", "fa", "fb", "da", "db", "bb", "ba", "aa", "ab", "bc", "bd", "d", "c")
PREFIXES = tuple(f"{{ghlb:{number:02}-{suffix}}}:" for number, suffix in enumerate(SUFFIXES))
HOME = PREFIXES[0]
# The pattern of all keys that belong to a partition.
ANY = "{ghlb:*}:"
# The prefix without a tag: of the schema version, which older processes read too, and of channels, which are not keys.
UNTAGGED = "ghlb:"

# Kinds of keys that belong to no location.
OF_HOME = frozenset({
    "agency", "alerts", "announced", "audit", "backup", "canary", "folding", "installation", "keys", "logins", "moved", "moving",
    "operator", "operator_token", "operators", "probe", "receiving", "signatures", "slots", "tallied", "turned_away", "upgrading",
    "upkeep", "workers", "wrote",
})  # fmt: skip
# Kinds of keys that are named after a turn.
OF_TURN = frozenset({"dead", "excerpt", "ledger"})
# Kinds of keys that exist in each partition, and whose names don't show in which one they are.
OF_EACH = frozenset(
    {
        "chart",
        "circuit",
        "circuits",
        "confirmed",
        "counts",
        "erased",
        "folded",
        "index",
        "paused",
        "reported",
        "totals",
        "watched",
    }
)


def partition_of(name: str) -> int:
    """The partition of a location, by its id or by one of its lanes."""
    return crc32(name.partition(":")[0].encode()) % PARTITIONS


def prefix_of(name: object) -> str:
    """The prefix of a location's or a lane's keys."""
    return PREFIXES[partition_of(str(name))]


def prefix_of_owner(owner: str) -> str:
    """The prefix of a grant's key; an agency's grant is at home."""
    kind, _, id_ = owner.partition(":")
    return HOME if kind == "company" else prefix_of(id_)


def prefixes_of_turn(id_: str) -> tuple[str, ...]:
    """The prefixes to try for a turn, the likely one first: ids from before schema version 2 begin with random digits."""
    try:
        likely = int(id_[:2], 16)
    except ValueError:
        return PREFIXES
    return (*PREFIXES[likely : likely + 1], *PREFIXES[:likely], *PREFIXES[likely + 1 :])


def turn_id(lane: object) -> str:
    """A new id for a turn of this lane."""
    return f"{partition_of(str(lane)):02x}{uuid4().hex[2:]}"


def key(kind: str, *parts: str) -> str:
    """The key of a location, a turn or home. Raises ValueError for a kind of key that exists in each partition."""
    if kind == "grant":
        prefix = prefix_of_owner(":".join(parts))
    elif kind in OF_HOME or (kind, parts) == ("refused", ()):
        prefix = HOME
    elif not parts or kind in OF_EACH or (kind == "seen" and len(parts) == 1):
        raise ValueError(f"{kind} is in each partition: name one")
    else:
        prefix = prefixes_of_turn(parts[0])[0] if kind in OF_TURN else prefix_of(parts[0])
    return prefix + ":".join((kind, *parts))


def key_at(prefix: str, *parts: str) -> str:
    """A key in the partition that has this prefix."""
    return prefix + ":".join(parts)


def keys(*parts: str) -> list[str]:
    """The keys of one name in all partitions, in their order."""
    return [key_at(prefix, *parts) for prefix in PREFIXES]


def channel(*parts: str) -> str:
    """The name of a channel."""
    return UNTAGGED + ":".join(parts)


def split_key(name: str) -> tuple[str, str]:
    """A key's prefix, and the rest of it."""
    prefix, _, rest = name.partition("}:")
    return f"{prefix}}}:", rest


def scored(found: Iterable[Sequence[str]]) -> list[tuple[str, float]]:
    """Replies of member, score, member, score as one list of pairs."""
    return [(str(one), float(score)) for flat in found for one, score in zip(flat[::2], flat[1::2], strict=True)]


def prefix_of_turn(redis: Redis, kind: str, id_: str) -> str:
    """The prefix of a turn's key of this kind (`dead`, `excerpt`); the likely one if there is no such key."""
    likely, *others = prefixes_of_turn(id_)
    if redis.exists(key_at(likely, kind, id_)):
        return likely
    return next((prefix for prefix in others if redis.exists(key_at(prefix, kind, id_))), likely)
