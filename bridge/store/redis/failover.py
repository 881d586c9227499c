"""Connections that leave a server after its demotion: redis-py treats its refusals as answers and would stay connected.

After the first refusal on one connection of a pool, each connection reconnects before its next command. If the address always
leads to the primary (a DNS name, a proxy), this finds the new one. A refusal within a pipeline counts too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis import Connection, ResponseError, SSLConnection, UnixDomainSocketConnection
from redis.asyncio import Connection as AsyncConnection
from redis.asyncio import SSLConnection as AsyncSSLConnection
from redis.asyncio import UnixDomainSocketConnection as AsyncUnixDomainSocketConnection

from bridge.store.redis.refusals import DEMOTED, code_of
from bridge.store.redis.waiting import LimitedWait

if TYPE_CHECKING:
    from redis import ConnectionPool
    from redis.asyncio import ConnectionPool as AsyncConnectionPool


class Generation:
    """The current generation of a pool's connections; those of an older one are connected to a demoted server."""

    number = 0


class _Renewed:
    """A connection that reconnects if its generation is older than the pool's."""

    _sock: Any
    _generation: Generation
    _number: int

    def __init__(self, *, generation: Generation, **settings: Any) -> None:
        self._generation = generation
        self._number = generation.number
        super().__init__(**settings)

    def on_connect_check_health(self, check_health: bool = True) -> None:
        self._number = self._generation.number
        super().on_connect_check_health(check_health)  # type: ignore[misc] # of the class beside it

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        if self._sock and self._number != self._generation.number:
            self.disconnect()  # type: ignore[attr-defined] # likewise
        super().send_packed_command(command, check_health)  # type: ignore[misc] # likewise

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            answer = super().read_response(*args, **options)  # type: ignore[misc] # likewise
        except ResponseError as refusal:
            _note(refusal, self._generation, self._number)
            raise
        _note_within(answer, self._generation, self._number)
        return answer


class _AsyncRenewed:
    """Like `_Renewed`, for an event loop."""

    is_connected: bool
    _generation: Generation
    _number: int

    def __init__(self, *, generation: Generation, **settings: Any) -> None:
        self._generation = generation
        self._number = generation.number
        super().__init__(**settings)

    async def on_connect_check_health(self, check_health: bool = True) -> None:
        self._number = self._generation.number
        await super().on_connect_check_health(check_health)  # type: ignore[misc] # as above

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        if self.is_connected and self._number != self._generation.number:
            await self.disconnect(nowait=True)  # type: ignore[attr-defined] # as above
        await super().send_packed_command(command, check_health)  # type: ignore[misc] # as above

    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            answer = await super().read_response(*args, **options)  # type: ignore[misc] # as above
        except ResponseError as refusal:
            _note(refusal, self._generation, self._number)
            raise
        _note_within(answer, self._generation, self._number)
        return answer


def _note_within(answer: Any, generation: Generation, number: int) -> None:
    """Note refusals inside a list: a script of many calls (parts/each.lua) returns them as values."""
    for one in answer if isinstance(answer, list) else ():
        if isinstance(one, ResponseError):
            _note(one, generation, number)


def _note(refusal: ResponseError, generation: Generation, number: int) -> None:
    """Begin a new generation, once for all refusals on connections of the same one."""
    if number == generation.number and code_of(refusal) in DEMOTED:
        generation.number += 1


class _TCP(LimitedWait, _Renewed, Connection):
    """Over TCP."""


class _TLS(LimitedWait, _Renewed, SSLConnection):
    """Over TLS."""


class _Unix(LimitedWait, _Renewed, UnixDomainSocketConnection):
    """Over a socket of this machine."""


class _AsyncTCP(_AsyncRenewed, AsyncConnection):
    """Over TCP."""


class _AsyncTLS(_AsyncRenewed, AsyncSSLConnection):
    """Over TLS."""


class _AsyncUnix(_AsyncRenewed, AsyncUnixDomainSocketConnection):
    """Over a socket of this machine."""


_RENEWED: dict[Any, Any] = {
    Connection: _TCP,
    SSLConnection: _TLS,
    UnixDomainSocketConnection: _Unix,
    AsyncConnection: _AsyncTCP,
    AsyncSSLConnection: _AsyncTLS,
    AsyncUnixDomainSocketConnection: _AsyncUnix,
}


def leave_demoted(pool: ConnectionPool | AsyncConnectionPool) -> None:
    """Make the future connections of a pool leave a demoted server."""
    pool.connection_class = _RENEWED[pool.connection_class]
    pool.connection_kwargs["generation"] = Generation()
