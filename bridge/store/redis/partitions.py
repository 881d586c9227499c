"""Partitions: each location belongs to one of 16, whose tag all its keys carry, so that one script touches one slot of a cluster.

Neither the number of partitions nor a tag ever changes: keys bear them. What belongs to no location is in the partition `HOME`.
Turns and dead letters are named without their location, so the first two digits of their ids name their partition.
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
# The pattern of all keys.
ANY = "{ghlb:*}:"
# Older processes look for this one too, so it has no tag. Channels aren't keys, and are the same for all partitions.
UNTAGGED = "ghlb:"

# What is kept of no location.
OF_HOME = frozenset({
    "agency", "alerts", "announced", "audit", "backup", "canary", "installation", "keys", "logins", "moved", "moving",
    "operator", "operator_token", "operators", "probe", "receiving", "signatures", "tallied", "turned_away", "upgrading",
    "upkeep", "workers", "wrote",
})  # fmt: skip
# What is named after a turn.
OF_TURN = frozenset({"dead", "excerpt", "ledger"})
# What is in each partition, under names that don't tell which one.
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
    """What the keys of a location, or of a lane, begin with."""
    return PREFIXES[partition_of(str(name))]


def prefix_of_owner(owner: str) -> str:
    """What the key of a grant begins with; an agency's is at home."""
    kind, _, id_ = owner.partition(":")
    return HOME if kind == "company" else prefix_of(id_)


def prefixes_of_turn(id_: str) -> tuple[str, ...]:
    """Where a turn may be, the likely one first: ids that were made before there were partitions don't tell."""
    try:
        likely = int(id_[:2], 16)
    except ValueError:
        return PREFIXES
    return (*PREFIXES[likely : likely + 1], *PREFIXES[:likely], *PREFIXES[likely + 1 :])


def turn_id(lane: object) -> str:
    """A new id for a turn of this lane."""
    return f"{partition_of(str(lane)):02x}{uuid4().hex[2:]}"


def key(kind: str, *parts: str) -> str:
    """The key of something of a location, of a turn, or of home. Raises ValueError for what is in each partition."""
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
    """The key of something in the partition that this prefix names."""
    return prefix + ":".join(parts)


def keys(*parts: str) -> list[str]:
    """The keys of something that is in each partition."""
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
    """Where something of a turn is (`dead`, `excerpt`); where it would be if there is none."""
    likely, *others = prefixes_of_turn(id_)
    if redis.exists(key_at(likely, kind, id_)):
        return likely
    return next((prefix for prefix in others if redis.exists(key_at(prefix, kind, id_))), likely)
