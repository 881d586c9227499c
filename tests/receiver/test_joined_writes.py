"""A response's head and body leave together."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from bridge.receiver.joined_writes import JoinedWrites

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def ends() -> AsyncIterator[tuple[JoinedWrites, socket.socket]]:
    """A transport over a real socket, and the socket at its other end, which never waits."""
    loop = asyncio.get_running_loop()
    mine, other = socket.socketpair()
    other.setblocking(False)
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=mine)
    yield JoinedWrites(transport, loop), other
    transport.close()
    other.close()


async def test_a_head_waits_for_its_body(ends: tuple[JoinedWrites, socket.socket]) -> None:
    """Nothing leaves with the first write, and both leave with the second."""
    transport, other = ends
    transport.write(b"head")
    with pytest.raises(BlockingIOError):
        other.recv(100)
    transport.write(b"body")
    assert other.recv(100) == b"headbody"


async def test_a_head_alone_leaves_in_the_next_iteration(ends: tuple[JoinedWrites, socket.socket]) -> None:
    """A stream whose first part comes later has its head at once."""
    transport, other = ends
    transport.write(b"head")
    await asyncio.sleep(0)
    assert other.recv(100) == b"head"


async def test_what_is_held_back_leaves_before_a_close(ends: tuple[JoinedWrites, socket.socket]) -> None:
    """A response that ends its connection is complete; after an abort nothing is written."""
    transport, other = ends
    transport.write(b"all")
    transport.close()
    assert other.recv(100) == b"all"
    transport.write(b"late")
    await asyncio.sleep(0)
    assert other.recv(100) == b""
