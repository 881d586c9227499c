"""The nodes of a cluster: a plain client for each primary, and the one that serves a slot.

redis-py's own cluster client is not used (infra/decisions/0012): of a pipeline it runs nothing while one node is missing, and its
WAIT goes to another node than the write.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

from redis import RedisError
from redis.exceptions import AskError, AuthenticationError, ClusterDownError, MovedError, TryAgainError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bridge.redis_url import node_urls
from bridge.store.redis.cluster_layout import Layout, NodeMissing, Reach, address_in, url_at, words_of
from bridge.store.redis.refusals import distrust_of, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from redis import Redis

    from bridge.store.redis.cluster_layout import Address

Answer = TypeVar("Answer")

# With more, nodes contradict each other.
MOST_REDIRECTS = 5
# A failover takes seconds, so asking more often has no use (s).
LAYOUT_EVERY_SECONDS = 0.25
NOT_SERVED = (AskError, ClusterDownError, TryAgainError)


def why_missing(error: BaseException) -> str:
    """Why a node counts as missing, from what its client raised."""
    if isinstance(error, NOT_SERVED):
        return "it does not serve this slot just now"
    return distrust_of(error) or reason_of(error) or "it does not answer"


def none_answers(seeds: Sequence[str], refused: str) -> str:
    """A sentence about a cluster of which no node says who serves what; `refused` is the reason of one, if it has one."""
    named = ", ".join(words_of(address_in(seed)) for seed in seeds)
    return f"none of its nodes answers ({named})" + (f": {refused}" if refused else "")


class Node:
    """One primary. Raises NodeMissing at once while it is known not to answer, and what the client raises."""

    def __init__(self, address: Address, client: Redis, probe: Redis) -> None:
        self.address = address
        self.client = client
        self.probe = probe
        self.reach = Reach()

    def ask(self, call: Callable[[Redis], Answer]) -> Answer:
        """Call `call` with its client."""
        if self.reach.is_away:
            self._ask_again()
        try:
            return call(self.client)
        except (AuthenticationError, *NOT_SERVED) as error:
            raise self._missing(error) from error
        except (RedisConnectionError, RedisTimeoutError, OSError) as error:
            self.reach.lost()
            raise self._missing(error) from error

    def _ask_again(self) -> None:
        if not self.reach.may_ask():
            raise NodeMissing(f"its node {words_of(self.address)} does not answer")
        try:
            self.probe.ping()
        except (RedisError, OSError) as error:
            self.reach.lost()
            raise self._missing(error) from error
        self.reach.answered()

    def _missing(self, error: Exception) -> Exception:
        if isinstance(error, MovedError):
            return error
        return NodeMissing(f"its node {words_of(self.address)}: {why_missing(error)} ({type(error).__name__})")


class Nodes:
    """All nodes of the cluster that this URL names. `connect` and `probe` make the clients of one, by its URL."""

    def __init__(self, url: str, *, connect: Callable[[str], Redis], probe: Callable[[str], Redis]) -> None:
        self._connect = connect
        self._probe = probe
        self._seeds = node_urls(url)
        self._nodes: dict[Address, Node] = {}
        self._layout: Layout | None = None
        self._asking = threading.Lock()
        self._asked_at = 0.0
        self._refused = ""

    def run(self, slot: int, call: Callable[[Redis], Answer]) -> Answer:
        """Call `call` with the client of the node that serves a slot, and again with that of another node if the slot has moved.

        Raises NodeMissing if that node does not answer, and what the client raises.
        """
        for _ in range(MOST_REDIRECTS):
            node = self.serving(slot)
            try:
                return node.ask(call)
            except MovedError as moved:
                self.follow(moved, node.address)
            except NodeMissing:
                self._learn()
                if self.layout().address_of(slot) == node.address:
                    raise
        raise NodeMissing(f"its nodes do not agree on who serves slot {slot}")

    def serving(self, slot: int) -> Node:
        """The node that serves a slot. Raises NodeMissing if none does."""
        address = self.layout().address_of(slot)
        if address is None:
            self._learn()
            address = self.layout().address_of(slot)
        if address is None:
            raise NodeMissing(f"none of its nodes serves slot {slot}")
        return self._node(address)

    def primaries(self) -> tuple[Node, ...]:
        """All primaries. Raises NodeMissing if no node returns the layout."""
        return tuple(map(self._node, self.layout().addresses))

    def follow(self, moved: MovedError, asked: Address) -> None:
        """Update the layout after a redirect: another node serves a slot."""
        self.layout().move(moved.slot_id, (moved.host or asked[0], moved.port))

    def layout(self) -> Layout:
        """The layout: which node serves which slots."""
        if self._layout is None:
            self._learn()
        if self._layout is None:
            raise NodeMissing(none_answers(self._seeds, self._refused))
        return self._layout

    def close(self) -> None:
        """Close all connections."""
        for node in self._nodes.values():
            node.client.close()
            node.probe.close()

    def _learn(self) -> None:
        """Ask one of the nodes for the layout, unless it was just asked for."""
        with self._asking:
            if self._layout is not None and time.monotonic() - self._asked_at < LAYOUT_EVERY_SECONDS:
                return
            self._layout = next(self._layouts(), self._layout)
            self._asked_at = time.monotonic()

    def _layouts(self) -> Iterator[Layout]:
        """The layouts that the nodes return, first of those that answered last time; they may lack missing nodes."""
        known = sorted(self._nodes.values(), key=lambda node: node.reach.is_away)
        seeds = [self._node(address_in(seed)) for seed in self._seeds]
        for node in dict.fromkeys((*known, *seeds)):
            try:
                slots = node.probe.execute_command("CLUSTER SLOTS")  # type: ignore[no-untyped-call]
            except (RedisError, OSError) as error:
                self._refused = distrust_of(error) or reason_of(error)
                continue
            if slots:
                yield Layout(slots, node.address)

    def _node(self, address: Address) -> Node:
        node = self._nodes.get(address)
        if node is None:
            url = url_at(self._seeds[0], address)
            node = self._nodes.setdefault(address, Node(address, self._connect(url), self._probe(url)))
        return node
