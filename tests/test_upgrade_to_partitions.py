"""The upgrade from schema version 1 to 2: every key gets its partition, after any interruption and beside old processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from redis import ResponseError
from redis.client import Pipeline

from bridge.errors import Misconfigured
from bridge.model import LocationId, Role
from bridge.store.figures.reports import DailyCounts
from bridge.store.operators.announcements import Announcements
from bridge.store.operators.dead_letters import DeadLetters
from bridge.store.operators.operators import Operators
from bridge.store.redis.connection import now_ms, scored
from bridge.store.redis.partition_calls import lane_of
from bridge.store.redis.partitions import PARTITIONS, PREFIXES, UNTAGGED, key, key_at, keys, prefix_of
from bridge.store.redis.schema import SCHEMA, SCHEMA_KEY, look, take_over
from bridge.store.redis.script_errors import ScriptedRedis
from bridge.store.upgrades.partitioned import TOMBSTONES_KEPT_MS
from tests.states.make import everything
from tests.stored import HERE, LANE, RETENTION_MS, accept, claim, keep, lanes_of, locations_of, message
from tests.test_upgrades import fill

if TYPE_CHECKING:
    from redis import Redis

TOKEN = "token-of-ana"
STATES = Path(__file__).parent / "states"
TOMBSTONES = {f"{UNTAGGED}workers", f"{UNTAGGED}location:{HERE}", f"{UNTAGGED}location:there"}


class Mortal(ScriptedRedis):
    """A client of a process that dies after this many calls."""

    left = 0

    def execute_command(self, *args: Any, **options: Any) -> Any:
        self.live()
        return super().execute_command(*args, **options)

    def pipeline(self, transaction: Any = True, shard_hint: Any = None) -> Any:
        pipe = _MortalPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipe.process = self
        return pipe

    def live(self) -> None:
        """Make one more call."""
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1


class _MortalPipeline(Pipeline):
    process: Mortal

    def execute(self, raise_on_error: bool = True) -> Any:
        self.process.live()
        return super().execute(raise_on_error)


def age(redis: Redis) -> None:
    """Give a state of this version the keys of version 1."""
    for name in map(str, redis.scan_iter("{*")):
        old = UNTAGGED + name.partition("}:")[2]
        if old.removeprefix(UNTAGGED) in {"owned", "claimed", "leader", "short", "server"}:
            redis.delete(name)
        elif not redis.exists(old):
            redis.rename(name, old)
        elif redis.type(name) == "set":
            redis.sadd(old, *redis.smembers(name))
            redis.delete(name)
        elif redis.type(name) == "list":
            redis.rpush(old, *redis.lrange(name, 0, -1))
            redis.delete(name)
        elif redis.type(name) == "zset":
            redis.zadd(old, dict(scored(redis.zrange(name, 0, -1, withscores=True))))
            redis.delete(name)
        else:
            for field, value in redis.hgetall(name).items():
                redis.hincrby(old, field, int(value))
            redis.delete(name)
    redis.delete(f"{UNTAGGED}workers")
    redis.set(SCHEMA_KEY, 1)


@pytest.fixture
def old(redis: Redis) -> Redis:
    """A state of version 1: locations of two partitions, a turn in progress, waiting messages, a pause, and an opt-out."""
    keep(redis, HERE, "there", reconcile_minutes=10)
    lanes = lanes_of(redis)
    accept(redis, message("m1"), message("m2", "other", "there"), message("m3", "parked"), message("m4", "waiting"))
    turn = next(turn for turn in map(lanes.lease, claim(lanes)) if turn and turn.lane == LANE)
    redis.hset(key("ledger", turn.id), "0", '{"state":"sending","at_ms":1,"message_ids":[],"last":true,"draft":false}')
    redis.zadd(key_at(prefix_of(HERE), "circuit", "c", "waiting"), {f"{HERE}:parked": 1})
    redis.hset(key_at(prefix_of(HERE), "circuit", "c"), mapping={"since": 1, "every": 1000, "name": "x", "location": HERE})
    redis.zadd(key_at(prefix_of(HERE), "circuits"), {"c": 1})
    redis.sadd(key_at(prefix_of(HERE), "circuits", "open"), "c")
    redis.sadd(key_at(prefix_of("there"), "holds"), "there")
    age(redis)
    redis.set(f"{UNTAGGED}paused:nobody", 1)
    redis.hset(f"{UNTAGGED}erased:digest", "stop:SMS", 1)
    redis.set(f"{UNTAGGED}seen:webhook", "nonce:accepted", px=RETENTION_MS)
    for lane in (LANE, f"{HERE}:long-gone"):
        redis.set(f"{UNTAGGED}topped:{lane}", 1, px=RETENTION_MS)
    Operators(redis).add("ana", Role.READ, [HERE], TOKEN, lasts_ms=RETENTION_MS)
    Announcements(redis).announce("weekly_report:2026-11-23", "text", way="mail")
    redis.hset(key("report", HERE), "2026-11-23", '{"a":1}')
    for name in ("operator:ana", "operators", "announced:weekly_report:2026-11-23", "alerts:mail"):
        redis.rename(key(*name.split(":", 1)), UNTAGGED + name)
    redis.rename(key("report", HERE), f"{UNTAGGED}report:{HERE}")
    (token,) = redis.scan_iter("*operator_token:*")
    redis.rename(token, UNTAGGED + str(token).partition("}:")[2])
    redis.hset(f"{UNTAGGED}folded", mapping={"count": 7, "at": 1})
    redis.rpush(f"{UNTAGGED}reported", f"{HERE} r 1 9", "there r 1 9", f"{HERE} r 2 9")
    return redis


def refill(redis: Redis, state: dict[str, Any]) -> None:
    """Empty a Redis, and fill it with a state."""
    redis.flushall()
    for name, kept in state.items():
        fill(redis, name, kept)


def left_of(redis: Redis) -> set[str]:
    """The keys without a partition."""
    return set(map(str, redis.scan_iter(f"{UNTAGGED}*")))


def timeless(redis: Redis) -> dict[str, Any]:
    return {name: kept for name, kept in everything(redis).items() if not name.endswith("upgrading")}


def test_every_key_finds_its_partition(old: Redis) -> None:
    """A key that names its location is in its partition, one that names none in each; older processes fail."""
    kept = {name.removeprefix(UNTAGGED): value["value"] for name, value in everything(old).items()}
    take_over(old)
    assert left_of(old) == {SCHEMA_KEY, *TOMBSTONES}
    assert old.get(SCHEMA_KEY) == str(SCHEMA)
    for parts in (("lane", str(LANE)), ("waiting", "there", "other"), ("message", HERE, "m3"), ("timeline", str(LANE))):
        name = ":".join(parts)
        value = everything(old)[key(*parts)]["value"]
        assert value == ({**kept[name], "backfilled": "1"} if name == f"lane:{LANE}" else kept[name]), name
    assert not list(old.scan_iter("*topped*"))
    turn = str(old.hget(key("lane", str(LANE)), "turn"))
    assert old.hgetall(key_at(prefix_of(HERE), "ledger", turn)) == kept[f"ledger:{turn}"]
    assert lane_of(old, "m2") == "there:other"
    assert old.zrange(key_at(prefix_of(HERE), "circuit", "c", "waiting"), 0, -1) == [f"{HERE}:parked"]
    assert old.smembers(key_at(prefix_of("there"), "holds")) == {"there"}
    assert old.exists(*keys("paused", "nobody")) == old.exists(*keys("erased", "digest")) == PARTITIONS
    assert old.exists(*keys("owned")) == PARTITIONS
    assert locations_of(old).ids() == (HERE, "there")
    assert accept(old, message("m1"), message("m9", location="nowhere")) == ["duplicate", "unknown_location"]


def test_operators_and_reports_are_moved(old: Redis) -> None:
    """A token stays valid, a report is sent once, and each entry of a daily report is in its location's partition, once."""
    entries = sorted(map(str, old.lrange(f"{UNTAGGED}reported", 0, -1)))
    take_over(old)
    operators, announcements = Operators(old), Announcements(old)
    operator = operators.of_token(TOKEN)
    assert operator
    assert (operator.name, [one.operator.name for one in operators.all()]) == ("ana", ["ana"])
    assert announcements.is_done("weekly_report:2026-11-23")
    assert announcements.mail.next()
    assert DailyCounts(old).read([LocationId(HERE)], ["2026-11-23"])[HERE] == {"2026-11-23": {"a": 1}}
    found = {str(prefix): list(map(str, old.lrange(key_at(prefix, "reported"), 0, -1))) for prefix in PREFIXES}
    assert sorted(one for some in found.values() for one in some) == entries
    assert all(prefix_of(one.partition(" ")[0]) == prefix for prefix, some in found.items() for one in some)
    assert {prefix for prefix, some in found.items() if some} == {prefix_of(HERE), prefix_of("there")}


def test_what_was_under_way_goes_on(old: Redis) -> None:
    """The turn keeps its lease, waiting lanes are claimed, and the next upgrade finds nothing to do."""
    take_over(old)
    before = timeless(old)
    take_over(old)
    look(old)
    assert timeless(old) == before
    lanes = lanes_of(old)
    accept(old, message("m5", "late"))
    assert [str(lane) for lane in claim(lanes)] == [f"{HERE}:late"]


def test_an_upgrade_that_is_killed_goes_on(redis: Redis, old: Redis) -> None:
    """After any call the next start ends with the same state, and until then no older process may start."""
    state = everything(old)
    take_over(old)
    whole, calls = timeless(old), 0
    while True:
        refill(redis, state)
        process = Mortal(connection_pool=redis.connection_pool)
        process.left = calls
        try:
            take_over(process)
        except KeyboardInterrupt:
            if redis.exists(key("upgrading")):
                assert redis.get(SCHEMA_KEY) == str(SCHEMA)
                with pytest.raises(Misconfigured, match="has not been upgraded"):
                    look(redis)
            take_over(redis)
            assert timeless(redis) == whole, calls
            calls += 1
            continue
        break
    assert calls > 20


@pytest.mark.parametrize("left", sorted(STATES.glob("*/*.json")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_nothing_of_an_older_version_stays_behind(redis: Redis, left: Path) -> None:
    """Every stored state of an older version is moved completely."""
    refill(redis, json.loads(left.read_text(encoding="utf-8")))
    take_over(redis)
    assert left_of(redis) <= {SCHEMA_KEY, *TOMBSTONES}


def test_an_older_script_fails_instead_of_missing_a_location(old: Redis) -> None:
    """Its first key has another type, so for a week a webhook gets 429, and a worker claims nothing."""
    take_over(old)
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        old.hexists(f"{UNTAGGED}location:{HERE}", "settings")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        old.zremrangebyscore(f"{UNTAGGED}workers", 0, 1)
    assert all(TOMBSTONES_KEPT_MS - 60_000 < old.pttl(name) <= TOMBSTONES_KEPT_MS for name in TOMBSTONES)


@pytest.mark.parametrize(("name", "ahead"), [("workers", 5_000), ("keys", 30_000), ("receiving", 0)])
def test_while_an_older_process_lives_nothing_is_changed(old: Redis, name: str, ahead: int) -> None:
    """The error says to stop it; a minute after its last heartbeat the upgrade begins."""
    sign = f"{UNTAGGED}{name}"
    if name == "receiving":
        old.set(sign, 1, px=20_000)
    else:
        old.zadd(sign, {"one:1": now_ms(old) - 50_000 + ahead})
    before = timeless(old)
    with pytest.raises(Misconfigured, match="stop every receiver and worker of the older version, wait a minute"):
        take_over(old)
    assert timeless(old) == before
    if name == "receiving":
        old.delete(sign)
    else:
        old.zincrby(sign, -20_000, "one:1")
    take_over(old)
    assert left_of(old) == {SCHEMA_KEY, *TOMBSTONES}


def test_a_command_line_upgrades_nothing(old: Redis) -> None:
    """It says who does."""
    before = timeless(old)
    with pytest.raises(Misconfigured, match="start the receiver or a worker of this version"):
        look(old)
    assert timeless(old) == before


def test_a_backlog_is_moved_in_batches(redis: Redis) -> None:
    """Thousands of lanes and dead letters are moved in batches, and none is left or lost."""
    pipe = redis.pipeline(transaction=False)
    pipe.set(f"{UNTAGGED}located", 1)
    for number in range(1200):
        lane, turn = f"location{number % 7}:c{number}", f"{number:032x}"
        pipe.rpush(f"{UNTAGGED}waiting:{lane}", "m")
        pipe.zadd(f"{UNTAGGED}due:location{number % 7}", {f"c{number}": number})
        pipe.zadd(f"{UNTAGGED}inflight", {lane: number})
        pipe.set(f"{UNTAGGED}dead:{turn}", json.dumps({"location_id": lane.partition(":")[0]}))
        pipe.zadd(f"{UNTAGGED}dead", {turn: number})
    pipe.execute()
    take_over(redis)
    assert left_of(redis) == {SCHEMA_KEY, f"{UNTAGGED}workers"}
    assert sum(1 for _ in redis.scan_iter("*}:waiting:*")) == 1200
    for number in (0, 600, 1199):
        prefix = prefix_of(f"location{number % 7}")
        assert redis.zscore(key_at(prefix, "dead"), f"{number:032x}") == number
        assert DeadLetters(redis, retention_ms=RETENTION_MS).is_known(f"{number:032x}")
        assert redis.zscore(key_at(prefix, "inflight"), f"location{number % 7}:c{number}") == number
