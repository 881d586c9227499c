"""Pipelines to the nodes of a cluster: a missing node does not delay the others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MovedError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bridge.store.redis.async_cluster import AsyncClusterRedis
from bridge.store.redis.cluster_layout import NodeMissing, key_of, words_of
from bridge.store.redis.cluster_nodes import MOST_REDIRECTS, NOT_SERVED, why_missing
from bridge.store.redis.confirmations import Unconfirmed
from bridge.store.redis.pipelines import Pipelines

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from redis.asyncio import Redis
    from redis.commands.core import AsyncScript

    from bridge.store.redis.cluster_layout import Address
    from bridge.store.redis.confirmations import Confirmation

UNANSWERED = (RedisConnectionError, RedisTimeoutError, OSError, TimeoutError, *NOT_SERVED)


class ClusterPipelines:
    """Like `Pipelines`, with some for each node. Raises NodeMissing for a node that does not answer in time."""

    def __init__(self, redis: AsyncClusterRedis, *, seconds: float, confirmation: Confirmation) -> None:
        self._redis = redis
        self._seconds = seconds
        self._confirmation = confirmation
        self._of_nodes: dict[Address, Pipelines] = {}
        self._learning: set[asyncio.Task[None]] = set()

    async def run(self, script: AsyncScript, args: Sequence[Any], *, at: str, patient: bool = False) -> Any:
        """Like `Pipelines.run`."""
        return await self._at(at, lambda pipelines: pipelines.run(script, args, at=at, patient=patient))

    async def run_together(self, script: AsyncScript, args: Sequence[Any], *, at: str) -> Any:
        """Like `Pipelines.run_together`."""
        return await self._at(at, lambda pipelines: pipelines.run_together(script, args, at=at))

    async def ask(self, *command: str) -> Any:
        """Like `Pipelines.ask`."""
        return await self._at(key_of(command) or "", lambda pipelines: pipelines.ask(*command))

    async def _at(self, key: str, call: Callable[[Pipelines], Awaitable[Any]]) -> Any:
        for _ in range(MOST_REDIRECTS):
            address = await self._redis.serving(key)
            try:
                return await call(self._pipelines(address))
            except MovedError as moved:
                self._redis.follow(moved, address)
            except Unconfirmed as error:
                raise Unconfirmed(f"its node {words_of(address)}: {error}") from error
            except UNANSWERED as error:
                self._learn()
                raise NodeMissing(f"its node {words_of(address)}: {why_missing(error)} ({type(error).__name__})") from error
        raise NodeMissing(f"its nodes do not agree on who serves {key}")

    def _pipelines(self, address: Address) -> Pipelines:
        found = self._of_nodes.get(address)
        if found is None:
            client = self._redis.client_at(address)
            found = Pipelines(client, seconds=self._seconds, confirmation=self._confirmation, one_partition=True)
            self._of_nodes[address] = found
        return found

    def _learn(self) -> None:
        """Ask the other nodes for the layout; the caller has its error already."""
        if not self._learning:
            task = asyncio.ensure_future(self._redis.learn())
            self._learning.add(task)
            task.add_done_callback(self._learning.discard)


def pipelines_to(redis: Redis, *, seconds: float, confirmation: Confirmation) -> Pipelines | ClusterPipelines:
    """The pipelines of a client."""
    if isinstance(redis, AsyncClusterRedis):
        return ClusterPipelines(redis, seconds=seconds, confirmation=confirmation)
    return Pipelines(redis, seconds=seconds, confirmation=confirmation)
