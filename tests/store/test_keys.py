"""The table of keys (infra/docs/reference/keys.md) matches the scripts and stores, and stored-data.md matches the table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.store.redis.lua import all_parts, all_scripts
from bridge.store.redis.partitions import OF_HOME

ROOT = Path(__file__).parents[2]
PYTHON = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "bridge/store").rglob("*.py"))}
LUA = {source.place.removesuffix(".lua"): source.code for source in (*all_scripts().values(), *all_parts().values())}
# Commands by the type of what they work on; the others work on any.
COMMANDS = {
    "string": {"GET", "SET", "INCR", "INCRBY", "MGET"},
    "hash": {"HGET", "HSET", "HMGET", "HGETALL", "HSETNX", "HDEL", "HINCRBY", "HEXISTS", "HKEYS", "HVALS", "HLEN"},
    "list": {"RPUSH", "LRANGE", "LINDEX", "LREM", "LLEN", "LTRIM", "LPOP", "LPOS", "LSET"},
    "set": {"SADD", "SREM", "SMEMBERS", "SISMEMBER", "SCARD", "SUNION"},
    "sorted set": {
        *("ZADD", "ZREM", "ZSCORE", "ZCARD", "ZCOUNT", "ZRANGE", "ZRANGEBYSCORE", "ZPOPMIN", "ZSCAN"),
        *("ZREMRANGEBYSCORE", "ZREMRANGEBYRANK"),
    },
    "stream": {"XADD", "XRANGE"},
    "channel": {"PUBLISH"},
    "none": set[str](),
}
ANY = {"DEL", "EXISTS", "PEXPIRE", "PERSIST", "PTTL", "RENAME"}


@dataclass(frozen=True)
class Row:
    """A row of the table: the key's parts, variable ones as `*`."""

    key: str
    type: str
    writers: tuple[str, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple("*" if part.isupper() else part for part in self.key.split(":"))

    def __str__(self) -> str:
        return self.key


def rows() -> list[Row]:
    """The rows of the table."""
    table = (ROOT / "infra/docs/reference/keys.md").read_text(encoding="utf-8").partition("|---|")[2]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]]
    return [Row(key.strip("`"), type_, tuple(re.findall(r"`(.+?)`", writers))) for key, type_, _, _, writers in cells]


def arguments(text: str, start: int) -> list[str]:
    """The arguments of a call whose bracket opens before `start`."""
    depth, found = 1, [""]
    for letter in text[start:]:
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0:
            break
        if letter == "," and depth == 1:
            found.append("")
        else:
            found[-1] += letter
    return [one.strip() for one in found]


def built(text: str) -> set[tuple[str, ...]]:
    """The keys that a text builds whose kind is in it, variable parts as `*`."""
    found = set()
    for call in re.finditer(r"\b(?:keys?|channel|names_of|(key_at))\(", text):
        # Of `key_at` the first argument is a partition's prefix.
        parts = [re.fullmatch(r"['\"]([a-z_]+)['\"]", one) for one in arguments(text, call.end())[bool(call[1]) :]]
        if parts and parts[0]:
            found.add(tuple(part[1] if part else "*" for part in parts))
    # Which bears no partition's tag.
    found |= {("schema",) for _ in re.findall(r'"ghlb:schema"', text)} | {("wake",) for _ in re.findall(r"'ghlb:wake'", text)}
    found |= {("wake", "*") for _ in re.findall(r"WAKE \.\. ':'", text)}
    # By `begin_once.lua`, which is told the whole key.
    found |= {(kind, "*", "*") for kind in re.findall(r'f"([a-z_]+):\{lane\}:\{\w+\}"', text)}
    return found


def is_of(key: tuple[str, ...], row: Row) -> bool:
    """Whether a row describes a key."""
    return len(key) == len(row.parts) and all(told in {"*", part} for told, part in zip(row.parts, key, strict=True))


ROWS = rows()


@pytest.mark.parametrize("file", sorted({**LUA, **PYTHON}))
def test_every_key_that_is_built_is_in_the_table(file: str) -> None:
    """A kind of key that scripts or stores use has its row."""
    unknown = [key for key in built({**LUA, **PYTHON}[file]) if not any(is_of(key, row) for row in ROWS)]
    assert unknown == []


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_key_of_the_table_is_built_by_those_who_write_it(row: Row) -> None:
    """A row names files that build just this key; no row is left of a removed key."""
    assert row.writers
    for writer in row.writers:
        assert any(is_of(key, row) for key in built({**LUA, **PYTHON}[writer])) or (writer, row.key) == (
            "begin",
            "away:LANE:CLOSED",
        )


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_key_has_the_type_that_the_table_tells(row: Row) -> None:
    """The commands for it are those of its type."""
    used = set()
    for text in LUA.values():
        for call in re.finditer(r"redis\.call\('([A-Z]+)', key\((?=')", text):
            parts = [re.fullmatch(r"'([a-z_]+)'", one) for one in arguments(text, call.end())]
            key = tuple(part[1] if part else "*" for part in parts)
            if is_of(key, row):
                used.add(call[1])
    assert used <= COMMANDS[row.type] | ANY


def test_the_page_says_in_which_partition_a_key_is() -> None:
    """It lists the kinds of keys that belong to no location, and their names in the table contain no location and no turn."""
    page = " ".join((ROOT / "infra/docs/reference/keys.md").read_text(encoding="utf-8").split())
    (listed,) = re.findall(r"\*\*Keys of no location\*\* .+?: (`agency`.+?)\. \*", page)
    # With a location in its name, `refused` is a key of that location.
    assert set(re.findall(r"`(\w+)`", listed)) == OF_HOME | {"refused"}
    of_home = [row for row in ROWS if row.key.split(":")[0] in OF_HOME or row.key == "refused"]
    assert {row.key.split(":")[0] for row in of_home} == OF_HOME | {"refused"}
    assert [row.key for row in of_home if {"LOCATION", "LANE", "TURN", "OWNER"} & set(row.key.split(":"))] == []


def test_security_tells_of_every_kind_of_key() -> None:
    """The table of stored data and the table of keys name the same kinds."""
    table = (
        (ROOT / "infra/docs/reference/stored-data.md")
        .read_text(encoding="utf-8")
        .partition("| data | kinds of keys |")[2]
        .partition("\n\n")[0]
    )
    told = {kind for line in table.splitlines()[2:] for kind in re.findall(r"`([a-z_]+)`", line.split(" | ")[1])}
    assert told == {row.parts[0] for row in ROWS if row.type not in {"channel", "none"}}
