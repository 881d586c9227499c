"""A state moves into a cluster and back: each key with its expiry, and at no moment is anything silently empty."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from redis.client import Pipeline

from bridge.errors import DidNotWork, Misconfigured
from bridge.store.redis.connection import connect, now_ms
from bridge.store.redis.installation import installation_id
from bridge.store.redis.moving import move
from bridge.store.redis.partitions import PARTITIONS, key, keys, prefix_of
from bridge.store.redis.schema import SCHEMA_KEY, look, take_over
from bridge.store.redis.script_errors import ScriptedRedis
from tests import torn_file
from tests.states.make import everything
from tests.stored import HERE, LANE, accept, claim, keep, lanes_of, locations_of, message, own_redis, standings_of
from tests.test_upgrades import fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from infra.dev.cluster import Cluster

STATES = sorted((Path(__file__).parents[2] / "states").glob("*/*.json"))
SIGNS = {"keys", "workers", "receiving", "moved", "moving"}


@pytest.fixture
def there(redis_cluster: Cluster) -> Iterator[Redis]:
    """A cluster, empty."""
    with connect(redis_cluster.url) as client:
        for name in client.scan_iter("*"):
            client.delete(name)
        yield client


@pytest.fixture
def here(redis: Redis) -> Redis:
    """One server with locations of two partitions, a turn under way, what waits, a stop, pauses, and something that ends soon."""
    take_over(redis)
    installation_id(redis)
    keep(redis, HERE, "there", "elsewhere")
    lanes = lanes_of(redis)
    accept(redis, message("m1"), message("m2", "other", "there"), message("m3", "late", "elsewhere"), message("m4", text="STOP"))
    assert [turn for turn in map(lanes.lease, claim(lanes)) if turn]
    standings_of(redis).pause("nobody")
    redis.set(key("probe", "write"), "1", px=60_000)
    redis.xadd(f"{prefix_of(HERE)}live", {"lane": "any"})
    return redis


def stop(*servers: Redis) -> None:
    """The signs of processes are gone, as a minute after their end."""
    for redis in servers:
        redis.delete(key("keys"), key("workers"), key("receiving"))


def moved(source: Redis, target: Redis) -> int:
    """Move once all processes have ended; answers how many keys."""
    stop(source, target)
    return move(source, target, seconds=0)


def kept(redis: Redis) -> dict[str, Any]:
    """Every key but the signs of processes, and what makes processes of schema version 1 fail."""
    return {name: value for name, value in everything(redis).items() if is_kept(name)}


def is_kept(name: str) -> bool:
    return name == SCHEMA_KEY or (name.startswith("{") and name.partition("}:")[2] not in SIGNS)


@pytest.mark.parametrize("left", STATES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_each_key_arrives(redis: Redis, there: Redis, left: Path) -> None:
    """Whatever a version left: the same keys, types and values, and what expires there expires here."""
    for name, value in json.loads(left.read_text(encoding="utf-8")).items():
        fill(redis, name, value)
    take_over(redis)
    installation_id(redis)
    before = kept(redis)
    assert moved(redis, there) == len([name for name in before if not name.endswith("}:owned")]) - 1
    assert kept(there) == before


def test_an_expiry_goes_along(here: Redis, there: Redis) -> None:
    """To the second; what lasts for ever, a stop or a pause, lasts for ever."""
    before = {name: here.pttl(name) for name in kept(here)}
    moved(here, there)
    assert {name for name, left in before.items() if left == -1} == {name for name in before if there.pttl(name) == -1}
    assert all(abs(there.pttl(name) - left) < 5000 for name, left in before.items())


def test_what_was_under_way_goes_on(here: Redis, there: Redis) -> None:
    """A message is known as a duplicate, what waits is claimed, a stop holds; the schema version and every mark is there."""
    stopped = here.hgetall(key("standing", str(LANE)))
    assert "stop:SMS" in stopped
    moved(here, there)
    look(there)
    take_over(there)
    assert there.exists(*keys("owned")) == PARTITIONS
    assert accept(there, message("m1"), message("m9", location="nowhere")) == ["duplicate", "unknown_location"]
    assert set(locations_of(there).ids()) == {HERE, "elsewhere", "there"}
    assert there.hgetall(key("standing", str(LANE))) == stopped
    assert accept(there, message("m5", "next")) == ["accepted"]
    assert f"{HERE}:next" in [str(lane) for lane in claim(lanes_of(there))]


def test_the_old_server_takes_nothing_any_more(here: Redis, there: Redis) -> None:
    """A receiver that was overlooked answers 429, and no process starts; a second move says where to look."""
    moved(here, there)
    assert accept(here, message("m7"), message("m8", location="nowhere")) == ["no_location", "no_location"]
    for start in (take_over, look):
        with pytest.raises(Misconfigured, match="moved to another one"):
            start(here)
    with pytest.raises(DidNotWork, match="was moved before"):
        moved(here, there)
    assert accept(there, message("m1")) == ["duplicate"]


def test_back_to_a_server(here: Redis, there: Redis) -> None:
    """The old server has it all again, with what changed in between."""
    before = kept(here)
    moved(here, there)
    accept(there, message("m6", "new"))
    changed = kept(there)
    moved(there, here)
    assert kept(here) == changed
    assert kept(here) != before
    take_over(here)
    assert accept(here, message("m6", "new"), message("m1")) == ["duplicate", "duplicate"]
    with pytest.raises(Misconfigured, match="moved to another one"):
        take_over(there)


@pytest.mark.parametrize("sign", sorted(SIGNS - {"moved", "moving"}))
@pytest.mark.parametrize("where", ["here", "there"])
def test_while_a_process_lives_nothing_is_moved(here: Redis, there: Redis, sign: str, where: str) -> None:
    """On either side; nothing is changed."""
    redis = {"here": here, "there": there}[where]
    stop(here)
    if sign == "receiving":
        redis.set(key(sign), 1, px=60_000)
    else:
        redis.zadd(key(sign), {"one": now_ms(redis) + 10_000})
    before = kept(here)
    with pytest.raises(DidNotWork, match="stop all of them"):
        move(here, there, seconds=0)
    assert (kept(here), kept(there)) == (before, {})
    redis.delete(key(sign))


def test_a_state_is_not_overwritten(here: Redis, there: Redis) -> None:
    """The new Redis has locations of its own, or is the old one; what only a start left there is overwritten."""
    with pytest.raises(DidNotWork, match="has a state of its own"):
        moved(here, here)
    keep(there, "another")
    with pytest.raises(DidNotWork, match="has a state of its own"):
        moved(here, there)
    for name in there.scan_iter("*"):
        there.delete(name)
    with pytest.raises(DidNotWork, match="no complete state"):
        moved(there, here)
    take_over(there)
    installation_id(there)
    there.set(key("agency"), "left")
    before = kept(here)
    moved(here, there)
    assert kept(there) == before


def test_an_older_server_is_refused(here: Redis, tmp_path: Path) -> None:
    """It can't read the values; nothing is lost, and nobody starts on the half of it."""
    newer, older = torn_file.program("Valkey"), torn_file.program("Redis")
    with (
        own_redis(tmp_path / "newer", program=newer) as newer_server,
        own_redis(tmp_path / "older", program=older) as older_server,
        connect(newer_server.url) as source,
        connect(older_server.url) as target,
    ):
        moved(here, source)
        with pytest.raises(DidNotWork, match="can't read what this one writes"):
            moved(source, target)
        assert accept(source, message("m1")) == ["duplicate"]
        with pytest.raises(Misconfigured, match="has not finished"):
            take_over(target)


class Mortal(ScriptedRedis):
    """A client of a process that dies after so many calls, of this client and of another one together."""

    left: list[int]

    def execute_command(self, *args: Any, **options: Any) -> Any:
        live(self.left)
        return super().execute_command(*args, **options)

    def pipeline(self, transaction: Any = True, shard_hint: Any = None) -> Any:
        pipe = _MortalPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipe.left = self.left
        return pipe


class _MortalPipeline(Pipeline):
    left: list[int]

    def execute(self, raise_on_error: bool = True) -> Any:
        live(self.left)
        return super().execute(raise_on_error)


def live(left: list[int]) -> None:
    """Make one more call."""
    if left[0] == 0:
        raise KeyboardInterrupt
    left[0] -= 1


def mortal(redis: Redis, left: list[int]) -> Mortal:
    client = Mortal(connection_pool=redis.connection_pool)
    client.left = left
    return client


@contextmanager
def quick_server(folder: Path) -> Iterator[Redis]:
    """A server that doesn't wait for its disk."""
    with own_redis(folder, "--appendfsync", "no") as server, connect(server.url) as redis:
        yield redis


def starts(redis: Redis) -> bool:
    """Whether a process would start on this Redis, and find a location."""
    if not redis.exists(key("location", HERE)):
        return False
    try:
        look(redis)
    except Misconfigured:
        return False
    return True


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.nightly)])
def test_a_move_that_is_killed_is_completed(here: Redis, step: int, tmp_path: Path) -> None:
    """After any such call processes start on one of both at most, no location is unknown, and the next move ends it."""
    stop(here)
    state = everything(here)
    with quick_server(tmp_path / "old") as source, quick_server(tmp_path / "new") as target:
        calls, is_done = 0, False
        while not is_done:
            for redis in (source, target):
                redis.flushall()
            for name, value in state.items():
                fill(source, name, value)
            left = [calls]
            try:
                move(mortal(source, left), mortal(target, left), seconds=0)
                is_done = True
            except KeyboardInterrupt:
                assert [redis for redis in (source, target) if starts(redis)] in ([source], [target], []), calls
                assert "unknown_location" not in [*accept(source, message("m1")), *accept(target, message("m1"))], calls
                if not starts(target):
                    moved(source, target)
            assert kept(target).keys() == set(filter(is_kept, state)), calls
            assert starts(target)
            assert not starts(source)
            calls += step
    assert calls > 40
