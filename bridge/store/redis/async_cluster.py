"""The receiver's client of a cluster: like `cluster.ClusterRedis`, for an event loop, and without retries."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from redis import RedisError
from redis.exceptions import MovedError

from bridge.redis_url import node_urls
from bridge.store.redis.cluster_layout import Layout, NodeMissing, address_in, key_of, slot_of, url_at
from bridge.store.redis.cluster_nodes import LAYOUT_EVERY_SECONDS, MOST_REDIRECTS, none_answers
from bridge.store.redis.refusals import distrust_of, reason_of
from bridge.store.redis.script_errors import ScriptedAsyncRedis

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis as AsyncRedis

    from bridge.store.redis.cluster_layout import Address


class AsyncClusterRedis(ScriptedAsyncRedis):
    """Each command goes to the node that has its key. `connect` makes the client of a node, by its URL.

    A node that does not return the layout within `seconds` is skipped; callers limit the time of all other commands.

    Commands raise NodeMissing if no node serves their slot, and otherwise what the library's client raises.
    """

    def __init__(self, url: str, *, connect: Callable[[str], AsyncRedis], seconds: float) -> None:
        super().__init__(decode_responses=True)
        self._connect = connect
        self._seconds = seconds
        self._seeds = node_urls(url)
        self._clients: dict[Address, AsyncRedis] = {}
        self._layout: Layout | None = None
        self._asking = asyncio.Lock()
        self._asked_at = 0.0
        self._refused = ""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Like the library's method."""
        key = key_of(args)
        for _ in range(MOST_REDIRECTS):
            address = await self.serving(key or "")
            try:
                return await self.client_at(address).execute_command(*args, **options)  # type: ignore[no-untyped-call]
            except MovedError as moved:
                self.follow(moved, address)
        raise NodeMissing(f"its nodes do not agree on who serves {key}")

    async def serving(self, key: str) -> Address:
        """The node that serves a key, or the keys with a prefix. Raises NodeMissing if none does."""
        slot = slot_of(key)
        if self._layout is None or self._layout.address_of(slot) is None:
            await self.learn()
        address = self._layout and self._layout.address_of(slot)
        if not address:
            why = f"none of its nodes serves slot {slot}" if self._layout else none_answers(self._seeds, self._refused)
            raise NodeMissing(why)
        return address

    def client_at(self, address: Address) -> AsyncRedis:
        """The client of a node."""
        client = self._clients.get(address)
        if client is None:
            client = self._clients[address] = self._connect(url_at(self._seeds[0], address))
        return client

    def follow(self, moved: MovedError, asked: Address) -> None:
        """Update the layout after a redirect: another node serves a slot."""
        if self._layout:
            self._layout.move(moved.slot_id, (moved.host or asked[0], moved.port))

    async def learn(self) -> None:
        """Ask the nodes for the layout, unless it was just asked for. The first answer counts."""
        async with self._asking:
            if self._layout is not None and time.monotonic() - self._asked_at < LAYOUT_EVERY_SECONDS:
                return
            addresses = dict.fromkeys((*self._clients, *map(address_in, self._seeds)))
            asked = [asyncio.ensure_future(self._layout_of(address)) for address in addresses]
            for one in asyncio.as_completed(asked):
                if layout := await one:
                    self._layout = layout
                    break
            for task in asked:
                task.cancel()
            # Until they have closed their connections. redis-py loses a cancellation now and then.
            await asyncio.wait(asked, timeout=self._seconds)
            self._asked_at = time.monotonic()

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close all connections."""
        async with self._asking:
            for client in self._clients.values():
                await client.aclose(close_connection_pool)

    async def _layout_of(self, address: Address) -> Layout | None:
        """The layout that a node returns; None for any error."""
        try:
            async with asyncio.timeout(self._seconds):
                slots = await self.client_at(address).execute_command("CLUSTER SLOTS")  # type: ignore[no-untyped-call]
        except (RedisError, OSError, TimeoutError) as error:
            self._refused = distrust_of(error) or reason_of(error)
            return None
        return Layout(slots, address) if slots else None
