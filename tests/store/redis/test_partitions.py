"""Partitions: the partition of a location, the names of its keys, and their slots in a cluster."""

from __future__ import annotations

from collections import Counter
from itertools import product
from string import ascii_lowercase
from typing import TYPE_CHECKING
from zlib import crc32

import pytest
from redis.crc import key_slot

from bridge.model import Dead, LocationId, MessageId
from bridge.store.locations.installs import Installs
from bridge.store.redis.partition_calls import lane_of
from bridge.store.redis.partitions import (
    HOME,
    PARTITIONS,
    PREFIXES,
    SUFFIXES,
    key,
    key_at,
    keys,
    partition_of,
    prefix_of,
    prefix_of_turn,
    split_key,
    turn_id,
)
from tests.stored import HERE, LANE, RETENTION_MS, accept, dead_letters_of, keep, lanes_of, message, standings_of, take

if TYPE_CHECKING:
    from redis import Redis

SLOTS = 16384


def slot_of(prefix: str) -> int:
    return int(key_slot(f"{prefix}anything".encode()))


def test_each_tag_is_in_its_own_sixteenth_of_the_slots() -> None:
    """It has the first suffix in alphabetical order for which that holds."""
    for number, suffix in enumerate(SUFFIXES):
        candidates = ("".join(letters) for length in (1, 2) for letters in product(ascii_lowercase, repeat=length))
        fits = (one for one in candidates if slot_of(f"{{ghlb:{number:02}-{one}}}:") * PARTITIONS // SLOTS == number)
        assert next(fits) == suffix
        assert PREFIXES[number] == f"{{ghlb:{number:02}-{suffix}}}:"


@pytest.mark.parametrize(("primaries", "most"), [(1, 16), (2, 8), (3, 6), (4, 4), (8, 2), (16, 1)])
def test_primaries_get_even_shares(primaries: int, most: int) -> None:
    """This holds for contiguous equal ranges of slots, as `redis-cli --cluster create` assigns them."""
    shares = Counter(slot_of(prefix) * primaries // SLOTS for prefix in PREFIXES)
    assert max(shares.values()) == most
    assert len(shares) == primaries


def test_a_location_and_its_lanes_are_of_one_partition_for_ever() -> None:
    """It is computed from the id's checksum; the results must never change."""
    assert [partition_of(one) for one in ("here", "there", "other", "elsewhere")] == [8, 6, 0, 5]
    for name in ("here", "Plain", "ve9EPM428h8vShlRW1KT"):
        assert partition_of(name) == partition_of(f"{name}:contact") == crc32(name.encode()) % 16
        assert prefix_of(name) == PREFIXES[partition_of(name)]


def test_a_key_follows_from_its_kind() -> None:
    """A key belongs to a location, a turn or home; a key that exists in each partition needs its prefix."""
    at = prefix_of("here")
    assert key("message", "here", "m1") == f"{at}message:here:m1"
    assert key("lane", str(LANE)) == f"{at}lane:{LANE}"
    assert key("grant", "location:here") == f"{at}grant:location:here"
    assert key("grant", "company:here") == f"{HOME}grant:company:here"
    assert (key("audit"), key("refused"), key("refused", "here")) == (f"{HOME}audit", f"{HOME}refused", f"{at}refused:here")
    assert key("ledger", "08" + 30 * "f") == f"{PREFIXES[8]}ledger:08{30 * 'f'}"
    for parts in (("due",), ("holds",), ("index", "m1"), ("seen", "webhook"), ("circuit", "c"), ("totals",)):
        with pytest.raises(ValueError, match="in each partition"):
            key(*parts)
    assert split_key(f"{at}grant:location:here") == (at, "grant:location:here")


def test_the_id_of_a_turn_names_its_partition(redis: Redis) -> None:
    """Its dead letter is found by that; an older id is looked for in all partitions."""
    assert turn_id(LANE)[:2] == "08"
    assert len({turn_id(LANE) for _ in range(10)}) == 10
    keep(redis)
    accept(redis, message())
    turn = take(lanes_of(redis))
    assert turn.id[:2] == "08"
    lanes_of(redis).write_dead_letter(turn, [MessageId("m1")], Dead(error="no"), answer=None, at_ms=1)
    assert prefix_of_turn(redis, "dead", turn.id) == prefix_of(HERE)
    older = f"ff{turn.id[2:]}"
    redis.rename(key_at(prefix_of(HERE), "dead", turn.id), key_at(prefix_of(HERE), "dead", older))
    assert prefix_of_turn(redis, "dead", older) == prefix_of(HERE)
    assert dead_letters_of(redis).is_known(older)
    assert not dead_letters_of(redis).is_known("nothing")


def test_a_location_is_unknown_only_where_the_partition_bears_its_mark(redis: Redis) -> None:
    """The first location, or install, marks all of them; without its mark a partition answers 429."""
    assert accept(redis, message(location="there")) == ["no_location"]
    keep(redis)
    assert accept(redis, message(location="there")) == ["unknown_location"]
    redis.delete(key_at(prefix_of("there"), "owned"))
    assert accept(redis, message(location="there")) == ["no_location"]
    assert accept(redis, message(location="elsewhere")) == ["unknown_location"]
    Installs(redis, retention_ms=RETENTION_MS).add(LocationId("another"), "")
    assert redis.exists(*keys("owned")) == PARTITIONS
    assert accept(redis, message(location="there")) == ["unknown_location"]


def test_a_pause_of_an_unknown_id_holds_wherever_it_turns_up(redis: Redis) -> None:
    """It is written and lifted in every partition; of a known id only in its own."""
    keep(redis)
    standings = standings_of(redis)
    assert standings.pause("contact") is None
    assert redis.exists(*keys("paused", "contact")) == PARTITIONS
    accept(redis, message())
    assert lane_of(redis, "contact") == str(LANE)
    assert redis.hexists(key("standing", str(LANE)), "paused_at")
    assert standings.resume("contact")
    assert redis.exists(*keys("paused", "contact")) == 0
    assert not redis.hexists(key("standing", str(LANE)), "paused_at")
    assert standings.pause("contact") == LANE
    assert redis.exists(*keys("paused", "contact")) == 0
