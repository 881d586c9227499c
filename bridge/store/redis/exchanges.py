"""Sends batches of commands on connections that it keeps.

For each batch redis-py's pipeline takes a connection from the pool, checks it, starts three tasks and gives it back, which costs
a receiver more than sending the commands and reading the answers. The gain is in infra/bench/notes.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hiredis import pack_command
from redis.exceptions import ResponseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio import Connection, Redis


class Exchanges:
    """As many connections of the client's pool as there are batches at the same time. The client closes them."""

    def __init__(self, redis: Redis) -> None:
        self._pool = redis.connection_pool
        self._idle: list[Connection] = []

    async def run(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Send commands together and return their answers; a command that Redis refuses is answered with the error.

        There is no time limit: the caller cancels it. Raises what the client raises for a connection.
        """
        connection = self._idle.pop() if self._idle else await self._pool.get_connection()  # type: ignore[no-untyped-call] # it has no types
        try:
            if not connection.is_connected or await connection.can_read():
                # Redis has closed it meanwhile.
                await self._pool.ensure_connection(connection)
            await connection.send_packed_command(b"".join(map(pack_command, commands)))
            return [await _answer(connection) for _ in commands]
        except BaseException:
            # An unread answer must not be taken for that to the next command.
            await connection.disconnect(nowait=True)
            raise
        finally:
            self._idle.append(connection)


async def _answer(connection: Connection) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as refusal:
        return refusal
