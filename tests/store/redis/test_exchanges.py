"""Batches of commands on connections that stay."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from redis import ResponseError

from bridge.store.redis.connection import connect_async
from bridge.store.redis.exchanges import Exchanges
from tests.stored import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis import Redis

NAME = "exchanges"

pytestmark = pytest.mark.one_server("a cluster has exchanges with each node, which are these")


@pytest.fixture
async def exchanges(redis_url: str, redis: Redis) -> AsyncIterator[Exchanges]:
    """Over the receiver's client, whose connections have a name of their own."""
    del redis
    client = connect_async(f"{redis_url}{'&' if '?' in redis_url else '?'}client_name={NAME}")
    yield Exchanges(client)
    await client.aclose()


def connections(redis: Redis) -> list[str]:
    """The ids of those that Redis knows."""
    clients: Any = redis.client_list()
    return [client["id"] for client in clients if client["name"] == NAME]


async def test_one_connection_serves_one_batch_after_the_other(exchanges: Exchanges, redis: Redis) -> None:
    """Answers come in order, and a refused command is an answer like the others."""
    for _ in range(3):
        answers = await exchanges.run([("SET", "a", 1), ("INCR", "b", "too many"), ("GET", "a")])
        assert [answers[0], answers[2]] == ["OK", "1"]
        assert isinstance(answers[1], ResponseError)
    assert len(connections(redis)) == 1


async def test_a_connection_that_redis_closed_is_opened_again(exchanges: Exchanges, redis: Redis) -> None:
    """Nobody notices that Redis closed it while it was idle."""
    await exchanges.run([("PING",)])
    for each in connections(redis):
        redis.client_kill_filter(_id=each)
    await asyncio.to_thread(eventually, lambda: not connections(redis))
    await asyncio.sleep(0)
    assert await exchanges.run([("ECHO", "again")]) == ["again"]


async def test_nobody_gets_the_answer_of_a_batch_that_was_given_up(exchanges: Exchanges, redis: Redis) -> None:
    """The connection of a cancelled batch is opened again, because its answer may still come."""
    waiting = asyncio.create_task(exchanges.run([("BLPOP", "nothing", 0)]))
    await asyncio.to_thread(eventually, lambda: any("blpop" in client["cmd"] for client in redis.client_list()))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    redis.rpush("nothing", "the other's")
    assert await exchanges.run([("ECHO", "mine")]) == ["mine"]
