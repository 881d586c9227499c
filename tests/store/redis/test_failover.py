"""After one refusal that was read, all connections of the pool leave a demoted server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from redis import ResponseError

from bridge.store.redis.connection import connect, connect_async
from bridge.store.redis.refusals import code_of, reason_of
from tests.keys import key
from tests.stored import own_redis
from tests.story.strait import Strait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

MANY = 8


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[Redis, Redis]]:
    """Two primaries."""
    with own_redis(tmp_path / "old") as old, own_redis(tmp_path / "new") as new, connect(old.url) as one, connect(new.url) as two:
        yield one, two


def _demote(old: Redis, new: Redis, way: Strait) -> None:
    """Another server takes over the address; the old one continues as a replica, with its connections."""
    for each in (old, new):
        each.config_set("requirepass", "the-same")
    old.replicaof("127.0.0.1", new.connection_pool.connection_kwargs["port"])
    way.lead_to(int(new.connection_pool.connection_kwargs["port"]))


@pytest.fixture
def way(servers: tuple[Redis, Redis]) -> Iterator[Strait]:
    """The address of both, which leads to the first."""
    with Strait(int(servers[0].connection_pool.connection_kwargs["port"])) as strait:
        yield strait


def test_a_client_of_threads_finds_the_new_primary_after_one_refusal(servers: tuple[Redis, Redis], way: Strait) -> None:
    """For any number of connections in the pool, one write is refused and the following ones reach the new primary."""
    old, new = servers
    old.config_set("requirepass", "the-same")
    with connect(f"redis://:the-same@127.0.0.1:{way.port}/0", connections=MANY) as client:
        held = [client.connection_pool.get_connection() for _ in range(MANY)]
        for each in held:
            client.connection_pool.release(each)
        _demote(old, new, way)

        with pytest.raises(ResponseError) as refused:
            client.set(key("name"), "before")

        assert code_of(refused.value) == "READONLY"
        for number in range(3 * MANY):
            client.set(key("name"), number)
    assert new.get(key("name")) == str(3 * MANY - 1)


def test_a_refusal_among_the_answers_of_one_script_counts(servers: tuple[Redis, Redis], way: Strait) -> None:
    """The accept script answers a list, in which refusals are values."""
    old, new = servers
    old.config_set("requirepass", "the-same")
    with connect(f"redis://:the-same@127.0.0.1:{way.port}/0") as client:
        client.ping()
        _demote(old, new, way)
        name = key("name")

        [refused] = client.eval("return {redis.pcall('SET', KEYS[1], 'before')}", 1, name)

        assert code_of(refused) == "READONLY"
        assert client.set(name, "after")
        assert new.get(name) == "after"


def test_a_refusal_that_is_a_value_within_a_pipeline_counts(servers: tuple[Redis, Redis], way: Strait) -> None:
    """The receiver's pipelines return refusals as values; it leaves the demoted server too."""
    old, new = servers
    old.config_set("requirepass", "the-same")

    async def story() -> tuple[list[object], list[object]]:
        client = connect_async(f"redis://:the-same@127.0.0.1:{way.port}/0", connections=MANY)
        try:
            await asyncio.gather(*(client.ping() for _ in range(MANY)))
            await asyncio.to_thread(_demote, old, new, way)

            async def write() -> list[object]:
                pipe = client.pipeline(transaction=False)
                pipe.set(key("name"), "new")
                return list(await pipe.execute(raise_on_error=False))

            first = await write()
            return first, [answer for _ in range(2 * MANY) for answer in await write()]
        finally:
            await client.aclose()

    (refused,), answers = asyncio.run(story())
    assert isinstance(refused, ResponseError)
    assert code_of(refused) == "READONLY"
    assert answers == [True] * 2 * MANY
    assert new.get(key("name")) == "new"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("READONLY You can't write against a read only replica.", "READONLY"),
        ("ERR Error running script (call to f_1f): @user_script:3: -NOREPLICAS Not enough good replicas to write.", "NOREPLICAS"),
        ("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)", "UNBLOCKED"),
        ("MISCONF Redis is configured to save RDB snapshots", "MISCONF"),
    ],
)
def test_a_refusal_is_known_by_its_code(said: str, code: str) -> None:
    """This works for any exception class of the client, and for Redis 6.2, which puts the code after a script error's text."""
    assert code_of(ResponseError(said)) == code
    assert reason_of(ResponseError(said))


def test_an_error_without_a_code_has_no_reason() -> None:
    """A script's error is not a state of the server."""
    assert reason_of(ResponseError("ERR unknown command")) == ""
