"""Redis clients of the processes: the real classes, with virtual time, behind the front."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, Any

from redis.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError

from bridge.store.redis.exchanges import Exchanges
from bridge.store.redis.script_errors import ScriptedAsyncRedis, ScriptedRedis
from tests.proof.clock import virtual
from tests.proof.faults import Fault
from tests.proof.front import place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.proof.clock import Clock
    from tests.proof.front import Front, Life

UNCOUNTED = frozenset({"SCRIPT LOAD", "PING"})


# Faults planted in scripts.
Plant = Callable[[str], str]
# Scripts by their text: the library computes each hash again for each client, and every worker has all scripts.
_made: dict[tuple[type[Any], str], Any] = {}


def _script_of(client: Any, text: str, make: Callable[[str], Any]) -> Any:
    made = _made.get((type(client), text))
    if made is None:
        made = _made[type(client), text] = make(text)
    own = copy(made)
    own.registered_client = client
    return own


class VirtualRedis(ScriptedRedis):
    """A client whose scripts and `TIME` use the virtual clock."""

    clock: Clock
    plant: Plant = staticmethod(str)

    def register_script(self, script: Any) -> Any:
        """Like the library's method."""
        return _script_of(self, self.plant(virtual(str(script))), super().register_script)

    def time(self, **_: Any) -> tuple[int, int]:
        """The virtual time."""
        seconds, ms = divmod(self.clock.ms, 1000)
        return seconds, ms * 1000

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Like the method of the bridge's client."""
        return super().execute_command(*self.clock.timed(args), **options)

    def pipeline(self, transaction: Any = True, shard_hint: Any = None) -> Any:
        """Like the library's method."""
        pipe = _VirtualPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipe.clock = self.clock
        return pipe


class _VirtualPipeline(Pipeline):
    clock: Clock

    def execute(self, raise_on_error: bool = True) -> Any:
        self.command_stack = [(self.clock.timed(args), options) for args, options in self.command_stack]
        return super().execute(raise_on_error)


class FrontedRedis(VirtualRedis):
    """A process' client for threads."""

    front: Front
    life: Life

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Like the method of the bridge's client, through the front."""
        act = super().execute_command
        if args[0] in UNCOUNTED:
            return act(*args, **options)
        return self.front.redis(self.life, place_of(args), lambda: act(*args, **options))

    def pipeline(self, transaction: Any = True, shard_hint: Any = None) -> Any:
        """Like the library's method."""
        pipe = _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipe.front, pipe.life, pipe.clock = self.front, self.life, self.clock
        return pipe


class _Pipeline(_VirtualPipeline):
    front: Front
    life: Life

    def execute(self, raise_on_error: bool = True) -> Any:
        stack = list(self.command_stack)

        def act() -> Any:
            self.command_stack = list(stack)
            return super(_Pipeline, self).execute(raise_on_error)

        return self.front.redis(self.life, f"redis pipeline of {len(stack)}", act)


class FrontedAsyncRedis(ScriptedAsyncRedis):
    """A receiver's client."""

    front: Front | None
    life: Life
    clock: Clock
    plant: Plant = staticmethod(str)

    def register_script(self, script: Any) -> Any:
        """Like the library's method."""
        return _script_of(self, self.plant(virtual(str(script))), super().register_script)


class FrontedExchanges(Exchanges):
    """A receiver's batches of commands: the real class, with virtual time, through the front. It keeps no connection."""

    def __init__(self, redis: FrontedAsyncRedis) -> None:
        super().__init__(redis)
        self._redis = redis

    async def run(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Like the real method."""
        front, life = self._redis.front, self._redis.life
        if front is None:
            return await self._send(commands)
        fault = front.enter(life, f"redis accept: {place_of(commands[0])}")
        if fault is Fault.ERROR:
            raise ReadOnlyError("You can't write against a read only replica.")
        answers = await self._send(commands)
        if fault is Fault.CRASH_AFTER:
            raise life.die()
        if fault is Fault.LOST:
            raise RedisConnectionError("Connection closed by server.")
        return await self._send(commands) if fault is Fault.TWICE else answers

    async def _send(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        try:
            return await super().run([self._redis.clock.timed(command) for command in commands])
        finally:
            while self._idle:
                await self._pool.release(self._idle.pop())
