"""Which node of a cluster serves a slot, and which slot a command is for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from redis.crc import key_slot

from bridge.store.redis.waiting import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Address = tuple[str, int]

# Commands without a key. In a pipeline, one of these goes to where the command before it went.
KEYLESS = frozenset({
    "CLIENT", "CLUSTER", "CONFIG", "DBSIZE", "FLUSHALL", "FLUSHDB", "INFO", "PING", "PUBLISH", "SCAN", "SCRIPT", "TIME", "WAIT",
    "WAITAOF",
})  # fmt: skip
# A node that did not answer is not asked for this time (s); then one call probes it, with a short time limit.
AWAY_SECONDS = 2.0


class NodeMissing(NoAnswer):
    """A node of the cluster does not answer, or no node serves a slot. Other nodes are not affected."""


class Layout:
    """The primaries, from the answer to CLUSTER SLOTS of the node at the address `asked`.

    A node that doesn't know its own name leaves it out (https://redis.io/docs/latest/commands/cluster-slots/).
    """

    def __init__(self, slots: Iterable[Sequence[Any]], asked: Address) -> None:
        self._ranges = [(int(low), int(high), (str(node[0] or asked[0]), int(node[1]))) for low, high, node, *_ in slots]
        self._moved: dict[int, Address] = {}

    def address_of(self, slot: int) -> Address | None:
        """The primary that serves a slot; None if none does."""
        served = (address for low, high, address in self._ranges if low <= slot <= high)
        return self._moved.get(slot) or next(served, None)

    def move(self, slot: int, address: Address) -> None:
        """Another primary serves a slot now, as a node said that had it before."""
        self._moved[slot] = address

    @property
    def addresses(self) -> tuple[Address, ...]:
        """All primaries, in the order of their first slots."""
        served = [address for _, _, address in sorted(self._ranges)]
        return tuple(dict.fromkeys((*served, *self._moved.values())))


class Reach:
    """Whether a node answers: after a failure its calls fail at once, until a short probe succeeds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked_again: float | None = None

    @property
    def is_away(self) -> bool:
        """Whether the last call failed."""
        return self._asked_again is not None

    def lost(self) -> None:
        """A call failed."""
        self._asked_again = self._clock() + AWAY_SECONDS

    def answered(self) -> None:
        """A call succeeded."""
        self._asked_again = None

    def may_ask(self) -> bool:
        """Whether to ask again now; if so, only this caller asks, until the time is over again."""
        due = self._asked_again is not None and self._clock() >= self._asked_again
        if due:
            self.lost()
        return due


def key_of(command: Sequence[Any]) -> str | None:
    """The first key of a command; None if it has none."""
    name = str(command[0]).upper()
    if name in {"EVALSHA", "EVAL"}:
        return str(command[3]) if int(command[2]) else None
    if name == "OBJECT":
        return str(command[2])
    return None if name.partition(" ")[0] in KEYLESS or len(command) == 1 else str(command[1])


def slot_of(key: str) -> int:
    """The hash slot of a key (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/)."""
    return int(key_slot(key.encode()))


def address_in(url: str) -> Address:
    """The host and port of a node's URL."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 6379


def url_at(url: str, address: Address) -> str:
    """The URL of another node, with the same login and options."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    return parts._replace(netloc=f"{login}{at}{host}:{address[1]}").geturl()


def words_of(address: Address) -> str:
    """A node's name in sentences."""
    return f"{address[0]}:{address[1]}"
