"""A version that takes another's place: it serves what that one left, and leaves alone what a newer one wrote."""

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
from bridge.store.connection import key
from bridge.store.dead_letters import DeadLetters
from bridge.store.messages import decode, decode_answer, encode
from bridge.store.schema import SCHEMA, look, take_over
from bridge.store.timelines import Timelines
from tests.other_side import OtherSide
from tests.stored import FERNET_KEY, HERE, RETENTION_MS, message
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

ROOT = Path(__file__).parents[1]
STATES = ROOT / "tests/states"
NEWER = SCHEMA + 1


def restore(redis: Redis, state: str, url: str) -> None:
    """Fill an empty Redis with a state that commit cb16e12 left; the other side stands elsewhere now."""
    for name, kept in json.loads((STATES / f"{state}.json").read_text(encoding="utf-8")).items():
        value: Any = kept["value"]
        match kept["kind"]:
            case "hash":
                value.update(_moved(value, url))
                redis.hset(name, mapping=value)
            case "zset":
                redis.zadd(name, dict(value))
            case "list":
                redis.rpush(name, *value)
            case "set":
                redis.sadd(name, *value)
            case _:
                redis.set(name, value)
        if kept["expires"]:
            redis.pexpire(name, RETENTION_MS)


def _moved(record: dict[str, str], url: str) -> dict[str, str]:
    """The settings with another address of the completion service: they are sealed, as that version sealed them."""
    if "settings" not in record:
        return {}
    fernet = Fernet(FERNET_KEY)
    opened = fernet.decrypt(record["settings"]).decode()
    return {"settings": fernet.encrypt(re.sub(r"http://127\.0\.0\.1:\d+", url, opened).encode()).decode()}


def test_messages_that_an_older_version_took_in_are_answered(redis: Redis) -> None:
    """What waits is answered once, all of it together, by its settings."""
    world = World(redis)
    with OtherSide(world.serve) as side:
        world.url = side.url
        restore(redis, "waiting", side.url)
        take_over(redis)
        world.work()
        assert world.inputs() == ["text of m1\ntext of m2"]
        assert world.posts() == ["answer 1"]
        assert {world.status(id_)[0] for id_ in ("m1", "m2")} == {"replied"}


def test_a_dead_letter_of_an_older_version_is_replayed(redis: Redis) -> None:
    """It is listed, replayed, and its messages get their reply."""
    world = World(redis)
    with OtherSide(world.serve) as side:
        world.url = side.url
        restore(redis, "dead", side.url)
        letters = DeadLetters(redis, retention_ms=RETENTION_MS)
        (letter,) = letters.all()
        assert letter.message_ids == ("m1", "m2")
        assert letters.replay(letter.id, force=False) == "replayed"
        world.work()
        assert world.posts() == ["answer 1"]
        assert not list(letters.all())


def test_a_send_of_unknown_outcome_of_an_older_version_is_settled(redis: Redis) -> None:
    """It is read back before anything is posted: seen in GHL, it is not posted again."""
    world = World(redis)
    with OtherSide(world.serve) as side:
        world.url = side.url
        restore(redis, "unknown", side.url)
        world.listed = [world.row("answer 1", "r-seen")]
        world.work(readback=(0.0, 0.0))
        assert world.posts() == []
        assert world.status() == ("replied", "")


def test_a_message_that_an_older_version_answered_is_explained(redis: Redis) -> None:
    """Its timeline, its outcome and its reply are told, and the message that comes again is known."""
    restore(redis, "replied", "http://127.0.0.1:1")
    timeline = Timelines(redis).find("m1")
    assert timeline
    (record,) = timeline.messages
    assert (record.status, record.reply_ids) == ("replied", ("r1",))
    assert [event.step for event in timeline.events][-1] == "replied"
    assert redis.exists(key("seen", HERE, "m1"))


def test_what_a_newer_version_adds_to_a_record_is_passed_over() -> None:
    """While two versions run at once, a message and an answer of the newer one are read by the older one."""
    newer = {**orjson.loads(encode(message())), "mood": "cheerful"}
    assert decode(orjson.dumps(newer).decode()) == message()
    answer = decode_answer('{"text": "hello", "mood": "cheerful"}')
    assert answer
    assert answer.text == "hello"


def test_a_state_becomes_this_versions_at_the_first_start(redis: Redis) -> None:
    """Without a form, or of an older one, it gets this version's; a second start changes nothing."""
    take_over(redis)
    take_over(redis)
    look(redis)
    assert redis.get(key("schema")) == str(SCHEMA)


def test_to_look_is_not_to_take_over(redis: Redis) -> None:
    """A command line of a newer version does not lock the running processes out."""
    look(redis)
    assert not redis.exists(key("schema"))


@pytest.fixture
def newer(redis: Redis) -> Iterator[Redis]:
    """A Redis in which a newer version has worked, for as long as the test lasts."""
    redis.set(key("schema"), NEWER)
    yield redis
    redis.delete(key("schema"))


def test_a_newer_versions_state_is_left_alone(newer: Redis) -> None:
    """It is refused with what to do, and stays what it is."""
    for refused in (take_over, look):
        with pytest.raises(Misconfigured, match=rf"form {NEWER}.*knows form {SCHEMA}"):
            refused(newer)
    assert newer.get(key("schema")) == str(NEWER)


@pytest.mark.parametrize("command", ["-m bridge.receiver", "-m celery -A workers worker", "-m bridge locations list"])
def test_no_process_starts_on_a_newer_versions_state(command: str, newer: Redis, redis_url: str) -> None:
    """Receiver, worker and command line end with 78 and one sentence."""
    assert newer.exists(key("schema"))
    given = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, "PORT": "0", "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(
        [sys.executable, *command.split()], env=given, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 78, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert f"form {NEWER}" in ended.stderr
