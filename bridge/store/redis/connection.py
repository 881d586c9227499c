"""Clients of Redis with bounded waits."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from redis import BlockingConnectionPool, RedisError, ResponseError
from redis import Redis as Redis  # noqa: PLC0414 - the other rooms name its type without importing the library
from redis.asyncio import BlockingConnectionPool as AsyncBlockingConnectionPool
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from bridge.errors import Unavailable
from bridge.redis_url import is_cluster
from bridge.store.redis.async_cluster import AsyncClusterRedis
from bridge.store.redis.cluster import ClusterRedis
from bridge.store.redis.cluster_nodes import Nodes
from bridge.store.redis.failover import leave_demoted
from bridge.store.redis.lua import locate, place_of
from bridge.store.redis.refusals import distrust_of, reason_of
from bridge.store.redis.script_errors import ScriptedAsyncRedis, ScriptedRedis
from bridge.store.redis.waiting import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redis.asyncio import Redis as AsyncRedis

# A node of a cluster that does not answer so soon is asked again later.
PROBE_SECONDS = 0.5
# A caller that waits for one node delays its commands to the others.
NODE_SECONDS = 2.0


def connect(url: str, *, connections: int = 32) -> Redis:
    """A client for workers and the command line, with three quick retries, because every script may be sent twice.

    In a cluster a node that answers nothing is not asked again (cluster_nodes.py).
    """
    again = Retry(ExponentialBackoff(cap=0.5, base=0.05), 3)
    if is_cluster(url):
        refused = Retry(ExponentialBackoff(cap=0.5, base=0.05), 3, supported_errors=(RedisConnectionError,))
        return _cluster(url, lambda node: _patient(node, connections, refused, seconds=NODE_SECONDS))
    return _patient(url, connections, again, seconds=5)


def connect_without_retries(url: str, *, seconds: float) -> Redis:
    """A client for the heartbeat, without retries: an answer after `seconds` is too late for a lease."""
    if is_cluster(url):
        return _cluster(url, lambda node: _hasty(node, min(seconds, NODE_SECONDS)))
    return _hasty(url, seconds)


def connect_async(url: str, *, connections: int = 64, seconds: float = 1.0) -> AsyncRedis:
    """The receiver's client, without retries, because GHL itself retries. Its callers limit how long they wait for an answer.

    With a socket timeout, redis-py would start a task for each write.
    """
    if is_cluster(url):
        connect_node = partial(connect_async, connections=connections, seconds=seconds)
        return AsyncClusterRedis(url, connect=connect_node, seconds=seconds)
    pool = AsyncBlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=seconds,
        socket_timeout=None,
        socket_connect_timeout=seconds,
        decode_responses=True,
        protocol=2,
        retry=AsyncRetry(NoBackoff(), 0),
    )
    leave_demoted(pool)
    return ScriptedAsyncRedis.from_pool(pool)


def _cluster(url: str, connect_node: Callable[[str], Redis]) -> Redis:
    return ClusterRedis(Nodes(url, connect=connect_node, probe=lambda node: _hasty(node, PROBE_SECONDS)), decode_responses=True)


def _patient(url: str, connections: int, retry: Retry, *, seconds: float) -> Redis:
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=5,
        socket_timeout=seconds,
        socket_connect_timeout=2,
        socket_keepalive=True,
        health_check_interval=10,
        decode_responses=True,
        protocol=2,
        retry=retry,
    )
    leave_demoted(pool)
    return ScriptedRedis.from_pool(pool)


def _hasty(url: str, seconds: float) -> Redis:
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=2,
        timeout=seconds,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        decode_responses=True,
        protocol=2,
        retry=Retry(NoBackoff(), 0),
    )
    leave_demoted(pool)
    return ScriptedRedis.from_pool(pool)


@contextmanager
def reaching(what: str) -> Iterator[None]:
    """Turn every connection error into Unavailable; `what` says what could not be done.

    The error of a script names the script's file and line.
    """
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        if isinstance(error, ResponseError):
            error.args = (locate(str(error)),)
        raise Unavailable(f"Redis could not {what}: {_why(error)}") from error


def _why(error: BaseException) -> str:
    """The name of a temporary error; for an error that an operator must fix, also how."""
    if isinstance(error, NoAnswer):
        return str(error)
    if distrust := distrust_of(error):
        return distrust
    if isinstance(error, (RedisConnectionError, RedisTimeoutError)) and str(error):
        return f"{type(error).__name__} ({str(error).rstrip('.')})"
    place = place_of(str(error)) if isinstance(error, ResponseError) else ""
    kind = f"{type(error).__name__} at {place}" if place else type(error).__name__
    reason = reason_of(error) if isinstance(error, RedisError) else ""
    return f"{reason} ({kind})" if reason else kind


def text(value: object) -> str:
    """The answer as text: clients of this module decode answers, but their types don't show it."""
    return str(value)


def scored(rows: object) -> list[tuple[str, float]]:
    """The members of a sorted set with their scores, with the right type."""
    return cast("list[tuple[str, float]]", rows)


def now_ms(redis: Redis) -> int:
    """Redis' clock (ms), the only one with which stored times are compared."""
    seconds, microseconds = redis.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def rows(flat: list[Any]) -> dict[str, str]:
    """A Lua reply of name, value, name, value as a dict."""
    return dict(zip(flat[::2], flat[1::2], strict=True))
