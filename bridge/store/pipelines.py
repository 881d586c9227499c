"""Script calls that come at about the same time go to Redis together: one write, one read, one sync of the append-only file.

A call alone is sent at once. While pipelines are under way the next calls gather, so that under load each pipeline takes many,
and nobody waits for a timer. What this gained: infra/bench/notes.md.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoScriptError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from redis.asyncio import Redis
    from redis.commands.core import AsyncScript

# While Redis syncs what one brought, the next is read and sent.
MOST_UNDER_WAY = 2
# What a stuck Redis makes pile up must not become one endless pipeline.
MOST_TOGETHER = 256


@dataclass(frozen=True, slots=True)
class _Call:
    script: AsyncScript
    args: Sequence[Any]
    answer: asyncio.Future[Any]


class Pipelines:
    """Of one event loop. `seconds` is how long a caller waits, and a pipeline may take."""

    def __init__(self, redis: Redis, *, seconds: float) -> None:
        self._redis = redis
        self._seconds = seconds
        self._waiting: deque[_Call] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._calls: set[asyncio.Future[Any]] = set()

    async def run(self, script: AsyncScript, args: Sequence[Any]) -> Any:
        """What the script answers. Raises TimeoutError, and what the client raises; the script may have run all the same."""
        loop = asyncio.get_running_loop()
        call = _Call(script, args, loop.create_future())
        self._waiting.append(call)
        # Not now: those that are read from their connections in the same turn of the loop come along.
        loop.call_soon(self._send)
        async with asyncio.timeout(self._seconds):
            return await call.answer

    async def in_time(self, work: Awaitable[Any]) -> Any:
        """Wait no longer than promised, not even for the work to be cancelled. Raises TimeoutError, and what the work raises.

        With a Redis that is stuck, redis-py lost one cancellation in a hundred (8.1 on Python 3.11) and waited out its own
        timeout, which begins anew for every step.
        """
        task = asyncio.ensure_future(work)
        # The event loop itself keeps no task alive.
        self._calls.add(task)
        task.add_done_callback(self._forget)
        done, _ = await asyncio.wait({task}, timeout=self._seconds)
        if not done:
            task.cancel()
            raise TimeoutError
        try:
            return task.result()
        except RuntimeError as error:
            # What uvloop raises when Redis closes a connection between its opening and the first write to it.
            raise ConnectionError(str(error)) from error

    def _forget(self, task: asyncio.Future[Any]) -> None:
        self._calls.discard(task)
        if not task.cancelled():
            # Looked at, so that a fault which comes after its sender was answered is no warning.
            task.exception()

    def _send(self) -> None:
        while self._waiting and len(self._under_way) < MOST_UNDER_WAY:
            together = self._next()
            if together:
                task = asyncio.ensure_future(self._travel(together))
                self._under_way.add(task)
                task.add_done_callback(self._arrived)

    def _next(self) -> list[_Call]:
        """Those whose callers still wait: who was told that it didn't work is not written down behind their back."""
        count = min(len(self._waiting), MOST_TOGETHER)
        return [call for call in (self._waiting.popleft() for _ in range(count)) if not call.answer.done()]

    def _arrived(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._send()

    async def _travel(self, together: list[_Call]) -> None:
        try:
            answers = await self.in_time(self._ask(together))
        except Exception as error:  # noqa: BLE001 - whatever it is, each caller is told
            answers = [error] * len(together)
        for call, answer in zip(together, answers, strict=True):
            if call.answer.done():
                continue
            if isinstance(answer, BaseException):
                call.answer.set_exception(answer)
            else:
                call.answer.set_result(answer)

    async def _ask(self, together: list[_Call]) -> list[Any]:
        answers = await self._ask_once(together)
        unknown = {call.script for call, answer in zip(together, answers, strict=True) if isinstance(answer, NoScriptError)}
        if not unknown:
            return answers
        for script in unknown:
            await self._redis.script_load(script.script)
        # Each script does the same the second time.
        return await self._ask_once(together)

    async def _ask_once(self, together: list[_Call]) -> list[Any]:
        pipe = self._redis.pipeline(transaction=False)
        for call in together:
            pipe.execute_command("EVALSHA", call.script.sha, 0, *call.args)
        answers: list[Any] = await pipe.execute(raise_on_error=False)
        return answers
