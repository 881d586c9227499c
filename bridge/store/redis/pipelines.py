"""Combines calls that arrive at about the same time: one write, one read, one sync of the append-only file.

A single call is sent immediately, unless it is patient: then it waits a moment for others. While pipelines are in progress, the
next calls are collected, so under load each pipeline contains many calls. The gain is in infra/bench/notes.md.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoScriptError

from bridge.store.redis.confirmations import NO_CONFIRMATION, Confirmation
from bridge.store.redis.exchanges import Exchanges
from bridge.store.redis.script_errors import name_script

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from redis.asyncio import Redis
    from redis.commands.core import AsyncScript

# While Redis syncs the writes of one pipeline, the next is sent.
MOST_UNDER_WAY = 2
# The calls that collect while Redis is stuck must not become one huge pipeline.
MOST_TOGETHER = 256
# Redis serves no other client while it runs a command; with this many messages that is one or two milliseconds.
MOST_IN_A_COMMAND = 16
# For so long a patient call waits for others, if no call is sent earlier.
PATIENCE_SECONDS = 0.025


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """A call in the queue: a script in the partition that the prefix `at` names, or a command.

    `joins`: the next call of the same script may be part of the same command.
    """

    command: tuple[Any, ...]
    args: Sequence[Any]
    at: str
    answer: asyncio.Future[Any]
    script: AsyncScript | None
    joins: bool


class Pipelines:
    """The pipelines of one event loop to one server. `seconds` is the timeout of a caller, and of a pipeline.

    With a `confirmation`, no script of a pipeline is answered before the replicas have what all of them wrote. With
    `one_partition`, no command has calls of several partitions, which a node of a cluster would refuse.
    """

    def __init__(
        self, redis: Redis, *, seconds: float, confirmation: Confirmation = NO_CONFIRMATION, one_partition: bool = False
    ) -> None:
        self._redis = redis
        self._one_partition = one_partition
        self._exchanges = Exchanges(redis)
        self._confirmation = confirmation
        self._seconds = seconds
        self._waiting: deque[_Call] = deque()
        self._under_way: set[asyncio.Task[list[Any]]] = set()
        self._starting: asyncio.Task[list[Any]] | None = None
        self._patience: asyncio.TimerHandle | None = None

    async def run(self, script: AsyncScript, args: Sequence[Any], *, at: str, patient: bool = False) -> Any:
        """Run a script in the partition with this prefix and return its answer. `patient`: it may wait for other calls.

        Raises TimeoutError, and what the client raises; the script may still have run.
        """
        return await self._call((), args, at, script, patient=patient)

    async def run_together(self, script: AsyncScript, args: Sequence[Any], *, at: str) -> Any:
        """Like `run`, for a script that accepts the arguments of many calls in sequence, and returns a list."""
        return await self._call((), args, at, script, joins=True)

    async def ask(self, *command: str) -> Any:
        """Run a command and return Redis' answer. Raises as `run`."""
        return await self._call(command)

    async def _call(
        self,
        command: tuple[Any, ...],
        args: Sequence[Any] = (),
        at: str = "",
        script: AsyncScript | None = None,
        *,
        joins: bool = False,
        patient: bool = False,
    ) -> Any:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.append(_Call(command, args, at, answer, script, joins))
        if patient and len(self._waiting) < MOST_IN_A_COMMAND:
            self._patience = self._patience or loop.call_later(PATIENCE_SECONDS, self._end_patience)
        else:
            self._send()
        deadline = loop.call_later(self._seconds, _fail, answer, TimeoutError())
        try:
            return await answer
        finally:
            deadline.cancel()

    def _send(self) -> None:
        """Start a pipeline, whose task begins in the next iteration of the loop and takes the calls of this one too."""
        if self._waiting and not self._starting and len(self._under_way) < MOST_UNDER_WAY:
            self._depart([])

    def _end_patience(self) -> None:
        self._patience = None
        self._send()

    def _next(self) -> list[_Call]:
        """The next calls whose callers still wait: a call that was reported as failed must not be executed later."""
        count = min(len(self._waiting), MOST_TOGETHER)
        return [call for call in (self._waiting.popleft() for _ in range(count)) if not call.answer.done()]

    def _depart(self, together: list[_Call]) -> None:
        task = self._starting = asyncio.ensure_future(self._start(together))
        self._under_way.add(task)
        deadline = asyncio.get_running_loop().call_later(self._seconds, self._abandon, task)
        task.add_done_callback(partial(self._arrived, together, deadline))

    def _abandon(self, task: asyncio.Task[list[Any]]) -> None:
        """Abandon a pipeline that timed out.

        Its callers have an error already, and the next calls don't wait for its cancellation. It is repeated until it works: with
        a Redis that is stuck, redis-py lost one cancellation in a hundred (8.1 on Python 3.11).
        """
        if not task.done():
            task.cancel()
            asyncio.get_running_loop().call_later(self._seconds, self._abandon, task)
        self._free(task)

    def _arrived(self, together: list[_Call], deadline: asyncio.TimerHandle, task: asyncio.Task[list[Any]]) -> None:
        deadline.cancel()
        for call, answer in zip(together, _answers(task, len(together)), strict=True):
            if isinstance(answer, BaseException):
                if call.script:
                    name_script(answer, call.script.sha)
                _fail(call.answer, answer)
            elif not call.answer.done():
                call.answer.set_result(answer)
        self._free(task)

    def _free(self, task: asyncio.Task[list[Any]]) -> None:
        self._under_way.discard(task)
        self._starting = None if self._starting is task else self._starting
        self._send()

    async def _start(self, together: list[_Call]) -> list[Any]:
        self._starting = None
        together += self._next()
        self._send()
        return await self._ask(together) if together else []

    async def _ask(self, together: list[_Call]) -> list[Any]:
        answers = await self._ask_once(together)
        pairs = zip(together, answers, strict=True)
        unknown = {call.script for call, answer in pairs if call.script and isinstance(answer, NoScriptError)}
        if not unknown:
            return answers
        for script in unknown:
            await self._redis.script_load(script.script)
        # Each script is idempotent.
        return await self._ask_once(together)

    async def _ask_once(self, together: list[_Call]) -> list[Any]:
        commands = _commands(together, one_partition=self._one_partition)
        written = next((call.at for call in together if call.script), "")
        confirming = self._confirmation.commands(self._seconds, at=written) if written else ()
        answers = await self._exchanges.run([*map(_command, commands), *confirming])
        fault = self._confirmation.fault(answers[len(commands) :])
        pairs = zip(commands, answers[: len(commands)], strict=True)
        shares = [each for calls, answer in pairs for each in _shares(calls, _unless(fault, calls, answer))]
        if not self._one_partition:
            return shares
        by_call = dict(zip(chain.from_iterable(commands), shares, strict=True))
        return [by_call[call] for call in together]


def _commands(together: Iterable[_Call], *, one_partition: bool) -> list[list[_Call]]:
    """Group consecutive calls that may be one command, keeping their order, with a maximum per command.

    With `one_partition`, calls of different partitions change places: no lane is in two of them.
    """
    calls_in_order = sorted(together, key=lambda call: call.at) if one_partition else together
    runs = [list(calls) for _, calls in groupby(calls_in_order, key=lambda call: _kind(call, one_partition=one_partition))]
    return [calls[at : at + MOST_IN_A_COMMAND] for calls in runs for at in range(0, len(calls), MOST_IN_A_COMMAND)]


def _kind(call: _Call, *, one_partition: bool) -> object:
    if not call.joins:
        return call
    return (call.script, call.at) if one_partition else call.script


def _command(calls: list[_Call]) -> tuple[Any, ...]:
    """One command for some calls; its keys are the prefixes of their partitions."""
    script = calls[0].script
    if script is None:
        return calls[0].command
    prefixes = [call.at for call in calls]
    return "EVALSHA", script.sha, len(prefixes), *prefixes, *chain.from_iterable(call.args for call in calls)


def _unless(fault: Exception | None, calls: list[_Call], answer: Any) -> Any:
    """The answer to a command, or the reason why its script is not confirmed."""
    return fault if fault and calls[0].script and not isinstance(answer, Exception) else answer


def _shares(calls: list[_Call], answer: Any) -> list[Any]:
    """The answer for each call of a command."""
    if isinstance(answer, Exception):
        return [answer] * len(calls)
    return answer if calls[0].joins else [answer]


def _answers(task: asyncio.Task[list[Any]], count: int) -> list[Any]:
    if task.cancelled():
        return [TimeoutError()] * count
    error = task.exception()
    if isinstance(error, RuntimeError):
        # What uvloop raises when Redis closes a connection between its opening and the first write to it.
        error = ConnectionError(str(error))
    return [error] * count if error else task.result()


def _fail(answer: asyncio.Future[Any], error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)
