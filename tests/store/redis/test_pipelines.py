"""Simultaneous calls are sent together, and each gets its own answer."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from redis.exceptions import ResponseError

from bridge.store.redis.connection import connect_async
from bridge.store.redis.pipelines import MOST_IN_A_COMMAND, MOST_UNDER_WAY, Pipelines
from tests.stored import own_redis

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

NOTE = "if ARGV[1] == 'bad' then return redis.error_reply('no') end return redis.call('RPUSH', 'noted', ARGV[1])"

NOTE_EACH = "local answers = {} for at, it in ipairs(ARGV) do answers[at] = redis.call('RPUSH', 'noted', it) end return answers"

pytestmark = pytest.mark.one_server("a cluster has pipelines to each node, which are these")


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[AsyncRedis]:
    """The receiver's client."""
    client = connect_async(redis_url)
    yield client
    await client.aclose()


async def test_calls_that_come_at_once_are_few_pipelines_and_keep_their_order(client: AsyncRedis, redis: Redis) -> None:
    """Two hundred callers need a few reads of Redis, and each has its own answer."""
    pipelines, note = Pipelines(client, seconds=5.0), client.register_script(NOTE)
    await pipelines.run(note, ["first"], at="here:")
    before: Any = redis.info("stats")

    answers = await asyncio.gather(*(pipelines.run(note, [number], at="here:") for number in range(200)))

    after: Any = redis.info("stats")
    assert after["total_reads_processed"] - before["total_reads_processed"] < 20
    assert answers == list(range(2, 202))
    assert redis.lrange("noted", 1, -1) == [str(number) for number in range(200)]


async def test_a_call_that_fails_fails_alone(client: AsyncRedis, redis: Redis) -> None:
    """The other calls in its pipeline are answered."""
    del redis
    pipelines, note = Pipelines(client, seconds=5.0), client.register_script(NOTE)

    answers = await asyncio.gather(
        *(pipelines.run(note, [word], at="here:") for word in ("good", "bad", "fine")), return_exceptions=True
    )

    assert [answers[0], answers[2]] == [1, 2]
    assert isinstance(answers[1], ResponseError)


async def test_calls_of_a_script_that_takes_many_are_one_call(client: AsyncRedis, redis: Redis) -> None:
    """Redis runs it once for simultaneous calls, each has its own answer, and other calls keep their places between them."""
    pipelines, note, each = Pipelines(client, seconds=5.0), client.register_script(NOTE), client.register_script(NOTE_EACH)
    for text in (NOTE, NOTE_EACH):
        await client.script_load(text)
    redis.config_resetstat()

    calls = [pipelines.run_together(each, [number], at="here:") for number in range(MOST_IN_A_COMMAND + 4)]
    answers = await asyncio.gather(
        *calls, pipelines.run(note, ["between"], at="here:"), pipelines.run_together(each, ["last"], at="here:")
    )

    assert answers == list(range(1, len(calls) + 3))
    stats: Any = redis.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 2 + len(["between", "last"])


async def test_patient_calls_leave_together_and_after_their_patience(
    client: AsyncRedis, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls that may wait are one pipeline, although each came in an iteration of the loop of its own."""
    monkeypatch.setattr(
        f"{Pipelines.__module__}.PATIENCE_SECONDS", 0.3
    )  # a busy machine may pause the loop for longer than 25 ms
    pipelines, note = Pipelines(client, seconds=5.0), client.register_script(NOTE)
    await pipelines.run(note, ["first"], at="here:")
    before: Any = redis.info("stats")

    calls = []
    for number in range(5):
        calls.append(asyncio.create_task(pipelines.run(note, [number], at="here:", patient=True)))
        await asyncio.sleep(0)
    answers = await asyncio.gather(*calls)

    after: Any = redis.info("stats")
    assert answers == [2, 3, 4, 5, 6]
    # One is the question itself.
    assert after["total_reads_processed"] - before["total_reads_processed"] == 2


async def test_an_urgent_call_takes_the_patient_ones_along(client: AsyncRedis, redis: Redis) -> None:
    """Redis runs them in the order in which they came, so a contact's message is never ahead of an earlier event."""
    pipelines, note = Pipelines(client, seconds=5.0), client.register_script(NOTE)

    await asyncio.gather(pipelines.run(note, ["early"], at="here:", patient=True), pipelines.run(note, ["urgent"], at="here:"))

    assert redis.lrange("noted", 0, -1) == ["early", "urgent"]


async def test_a_plain_command_travels_with_scripts(client: AsyncRedis, redis: Redis) -> None:
    """It is answered in its place."""
    pipelines, note = Pipelines(client, seconds=5.0), client.register_script(NOTE)
    redis.hset("known", "name", "value")

    answers = await asyncio.gather(pipelines.run(note, ["one"], at="here:"), pipelines.ask("HGET", "known", "name"))

    assert [*answers] == [1, "value"]


async def test_a_stuck_redis_holds_nobody_up(tmp_path: Path) -> None:
    """All get an error in time, also those behind stuck pipelines; afterwards it works again."""
    with own_redis(tmp_path) as own:
        # Its own timeout is far off: here the pipelines are what gives up.
        async with connect_async(own.url, seconds=10.0) as client:
            pipelines, note = Pipelines(client, seconds=0.3), client.register_script(NOTE)
            await pipelines.run(note, ["first"], at="here:")
            # Opened beforehand: redis-py 8.1 leaves a connection behind whose opening is cancelled.
            await asyncio.gather(*(client.ping() for _ in range(8)))
            own.signal(signal.SIGSTOP)
            began = time.monotonic()
            left = []
            for number in range(MOST_UNDER_WAY + 3):
                left.append(asyncio.create_task(pipelines.run(note, [number], at="here:")))
                await asyncio.sleep(0.01)

            told = await asyncio.gather(*left, return_exceptions=True)

            assert time.monotonic() - began < 5.0
            assert all(isinstance(one, TimeoutError) for one in told)
            own.signal(signal.SIGCONT)
            assert await pipelines.run(note, ["last"], at="here:") > 1
