"""A version that replaces another: it handles that one's state, and leaves a newer one's alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from cryptography.fernet import Fernet

from bridge.errors import Misconfigured
from bridge.store.lanes.messages import decode, decode_answer, encode
from bridge.store.lanes.timelines import Timelines
from bridge.store.locations.grants import of_location
from bridge.store.operators.dead_letters import DeadLetters
from bridge.store.redis.schema import SCHEMA, SCHEMA_KEY, look, take_over
from tests.keys import key
from tests.other_side import OtherSide
from tests.states import make
from tests.stored import FERNET_KEY, HERE, RETENTION_MS, grants_of, locations_of, message
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

ROOT = Path(__file__).parents[1]
STATES = ROOT / "tests/states"
NEWER = SCHEMA + 1


def left_by(state: str) -> pytest.MarkDecorator:
    """Each version with such a state."""
    return pytest.mark.parametrize("left", sorted(STATES.glob(f"*/{state}.json")), ids=lambda path: path.parent.name)


def restore(redis: Redis, left: Path, url: str = "http://127.0.0.1:1") -> None:
    """Fill an empty Redis with a state, and start as this version; the tests' server has another address now."""
    for name, kept in json.loads(left.read_text(encoding="utf-8")).items():
        if kept["kind"] == "hash":
            kept["value"].update(_moved(kept["value"], url))
        fill(redis, name, kept)
    take_over(redis)


def fill(redis: Redis, name: str, kept: dict[str, Any]) -> None:
    """Write a key of a state."""
    value: Any = kept["value"]
    match kept["kind"]:
        case "hash":
            redis.hset(name, mapping=value)
        case "zset":
            redis.zadd(name, dict(value))
        case "list":
            redis.rpush(name, *value)
        case "set":
            redis.sadd(name, *value)
        case "stream":
            for id_, fields in value:
                redis.xadd(name, fields, id=id_)
        case _:
            redis.set(name, value)
    if kept["expires"]:
        redis.pexpire(name, RETENTION_MS)


def _moved(record: dict[str, str], url: str) -> dict[str, str]:
    """The settings with another address of the completion service, encrypted as by that version."""
    if "settings" not in record:
        return {}
    fernet = Fernet(FERNET_KEY)
    opened = fernet.decrypt(record["settings"]).decode()
    return {"settings": fernet.encrypt(re.sub(r"http://127\.0\.0\.1:\d+", url, opened).encode()).decode()}


@left_by("waiting")
def test_messages_that_an_older_version_took_in_are_answered(redis: Redis, left: Path) -> None:
    """Waiting messages are answered once, together, with their settings."""
    world = World(redis)
    with OtherSide(world.serve) as side:
        world.url = side.url
        restore(redis, left, side.url)
        world.work()
        assert world.inputs() == ["text of m1\ntext of m2"]
        assert world.posts() == ["answer 1"]
        assert {world.status(id_)[0] for id_ in ("m1", "m2")} == {"replied"}


@left_by("dead")
def test_a_dead_letter_of_an_older_version_is_replayed(redis: Redis, left: Path) -> None:
    """It is listed, replayed, and its messages get their reply."""
    world = World(redis)
    with OtherSide(world.serve) as side:
        world.url = side.url
        restore(redis, left, side.url)
        dead_letters = DeadLetters(redis, retention_ms=RETENTION_MS)
        (dead_letter,) = dead_letters.all()
        assert dead_letter.message_ids == ("m1", "m2")
        assert dead_letters.replay(dead_letter.id, force=False) == "replayed"
        world.work()
        assert world.posts() == ["answer 1"]
        assert not list(dead_letters.all())


@left_by("unknown")
def test_a_send_of_unknown_outcome_of_an_older_version_is_settled(redis: Redis, left: Path) -> None:
    """It is read back before anything is posted: found in GHL, it is not posted again."""
    world = World(redis)
    with OtherSide(world.serve) as side:
        world.url = side.url
        restore(redis, left, side.url)
        world.listed = [world.row("answer 1", "r-seen")]
        world.work(readback=(0.0, 0.0))
        assert world.posts() == []
        assert world.status() == ("replied", "")


@left_by("replied")
def test_a_message_that_an_older_version_answered_is_explained(redis: Redis, left: Path) -> None:
    """Its timeline, its outcome and its reply are shown, and the repeated message is known."""
    restore(redis, left)
    timeline = Timelines(redis).find("m1")
    assert timeline
    (record,) = timeline.messages
    assert (record.status, record.reply_ids) == ("replied", ("r1",))
    assert [event.step for event in timeline.events][-1] == "replied"
    assert redis.exists(key("seen", HERE, "m1"))


def what_becomes_of_the_next(redis: Redis, left: Path) -> tuple[str | None, str | None]:
    """Let the contact write once more; returns the outcome."""
    world = World(redis)
    restore(redis, left)
    world.write("m3")
    world.work()
    return world.status("m3")


@left_by("stopped")
def test_a_contact_that_stopped_is_left_alone(redis: Redis, left: Path) -> None:
    """An opt-out in an older version counts in this one."""
    assert what_becomes_of_the_next(redis, left) == ("skipped", "stop_word")


@left_by("taken_over")
def test_a_person_who_took_over_is_not_talked_over(redis: Redis, left: Path) -> None:
    """A takeover in an older version counts too."""
    assert what_becomes_of_the_next(redis, left) == ("skipped", "human_takeover")


@left_by("held")
def test_a_hold_is_lifted_and_all_that_waited_is_answered(redis: Redis, left: Path) -> None:
    """Refused messages and later ones are answered, the later ones with the refused texts."""
    world = World(redis)
    with OtherSide(world.serve) as side:
        world.url = side.url
        restore(redis, left, side.url)
        assert locations_of(redis).lift_hold(HERE, why="test") is not None
        world.work()
        assert world.inputs() == ["text of m1\ntext of m2\ntext of m3\ntext of m4"]
        assert world.status("m4") == ("replied", "")


@left_by("installed")
def test_the_tokens_of_an_install_are_known(redis: Redis, left: Path) -> None:
    """They can be decrypted with their key."""
    restore(redis, left)
    grant = grants_of(redis).get(of_location(HERE))
    assert grant
    assert (grant.access_token, grant.refresh_token) == ("access", "refresh")


def test_this_version_can_leave_its_state_to_the_next(tmp_path: Path) -> None:
    """The program that writes the states works, and writes each state of these tests."""
    make.main(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in STATES.glob("*/*.json")}


def test_what_a_newer_version_adds_to_a_record_is_passed_over() -> None:
    """While two versions run at once, the older one reads a message and an answer of the newer one."""
    newer = {**orjson.loads(encode(message())), "mood": "cheerful"}
    assert decode(orjson.dumps(newer).decode()) == message()
    answer = decode_answer('{"text": "hello", "mood": "cheerful"}')
    assert answer
    assert answer.text == "hello"


def test_a_state_becomes_this_versions_at_the_first_start(redis: Redis) -> None:
    """Without a version, or with an older one, it gets this version's; a second start changes nothing."""
    take_over(redis)
    take_over(redis)
    look(redis)
    assert redis.get(SCHEMA_KEY) == str(SCHEMA)


def test_to_look_is_not_to_take_over(redis: Redis) -> None:
    """A command line of a newer version does not lock the running processes out."""
    look(redis)
    assert not redis.exists(SCHEMA_KEY)


@pytest.fixture
def newer(redis: Redis) -> Iterator[Redis]:
    """A Redis that a newer version has used, during the test."""
    redis.set(SCHEMA_KEY, NEWER)
    yield redis
    redis.delete(SCHEMA_KEY)


def test_a_newer_versions_state_is_left_alone(newer: Redis) -> None:
    """It is refused with what to do, and is unchanged."""
    for refused in (take_over, look):
        with pytest.raises(Misconfigured, match=rf"schema version {NEWER}.*knows schema version {SCHEMA}"):
            refused(newer)
    assert newer.get(SCHEMA_KEY) == str(NEWER)


@pytest.mark.parametrize("command", ["-m bridge.receiver", "-m celery -A workers worker", "-m bridge locations list"])
def test_no_process_starts_on_a_newer_versions_state(command: str, newer: Redis, redis_url: str) -> None:
    """Receiver, worker and command line end with 78 and one sentence."""
    assert newer.exists(SCHEMA_KEY)
    given = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, "PORT": "0", "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(
        [sys.executable, *command.split()], env=given, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 78, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert f"schema version {NEWER}" in ended.stderr
