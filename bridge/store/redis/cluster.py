"""A client of a cluster that is used like one of a single server: each command goes to the node that has its key."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any

from redis import RedisError
from redis.client import Pipeline
from redis.exceptions import MovedError

from bridge.store.redis.cluster_layout import NodeMissing, key_of, slot_of, words_of
from bridge.store.redis.cluster_nodes import MOST_REDIRECTS
from bridge.store.redis.script_errors import ScriptedRedis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redis import Redis

    from bridge.store.redis.cluster_nodes import Nodes

# Commands with several keys in any slots, and how their answers are combined.
SUMMED = frozenset({"DEL", "EXISTS", "TOUCH", "UNLINK"})
# Commands for all primaries.
OF_ALL = frozenset({
    "CLIENT PAUSE", "CLIENT UNPAUSE", "CONFIG RESETSTAT", "CONFIG SET", "DBSIZE", "FLUSHALL", "FLUSHDB", "SCRIPT FLUSH",
    "SCRIPT LOAD",
})  # fmt: skip
# A pattern that is limited to the keys of one tag.
_TAG = re.compile(r"\{[^]{}*?[\\]+\}")
Command = tuple[tuple[Any, ...], dict[str, Any]]
Ask = Callable[[Callable[["Redis"], Any]], Any]


class ClusterRedis(ScriptedRedis):
    """Commands raise NodeMissing if their node does not answer, and otherwise what the library's client raises."""

    def __init__(self, nodes: Nodes, **settings: Any) -> None:
        super().__init__(**settings)
        self.nodes = nodes

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Like the library's method. A command without a key goes to the first node that answers."""
        name = str(args[0]).upper()
        if name in OF_ALL:
            return self._at_all(name, args, options)
        if name == "MGET" or name in SUMMED:
            return self._apart(name, args[1:])
        key = key_of(args)
        if key is None:
            return self._anywhere(args, options)
        return self.nodes.run(slot_of(key), lambda client: _ask(client, args, options))

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> ClusterPipeline:
        """Like the library's method. There is one transaction for each slot, and one pipeline for each node."""
        return ClusterPipeline(self, transaction=transaction, shard_hint=shard_hint)

    def scan_iter(self, match: Any = None, *args: Any, **options: Any) -> Iterator[Any]:
        """Like the library's method: on all primaries, or on the one that serves the pattern's hash tag."""
        tag = _TAG.match(str(match or ""))
        if tag:
            return self.nodes.serving(slot_of(tag[0])).client.scan_iter(match, *args, **options)
        return chain.from_iterable(node.client.scan_iter(match, *args, **options) for node in self.nodes.primaries())

    def close(self) -> None:
        """Close all connections."""
        self.nodes.close()

    def together(self, commands: Sequence[Command], *, transaction: bool, attempts: int = MOST_REDIRECTS) -> list[Any]:
        """The answers to the commands of a pipeline; instead of one that has none, its error."""
        answers: list[Any] = [None] * len(commands)
        for slot, places in self._apportioned(commands, by_slot=transaction):
            some = [commands[at] for at in places]
            try:
                found = self.nodes.run(slot, lambda client, some=some: _send(client, some, transaction=transaction))  # type: ignore[misc]
            except RedisError as error:
                found = [error] * len(some)
            for at, answer in zip(places, found, strict=True):
                answers[at] = answer
        again = _moved(commands, answers)
        for at in again if attempts else ():
            if isinstance(answers[at], MovedError):
                self.nodes.follow(answers[at], self.nodes.serving(answers[at].slot_id).address)
        if again and attempts:
            found = self.together([commands[at] for at in again], transaction=transaction, attempts=attempts - 1)
            for at, answer in zip(again, found, strict=True):
                answers[at] = answer
        return answers

    def _apportioned(self, commands: Sequence[Command], *, by_slot: bool) -> list[tuple[int, list[int]]]:
        """A slot of each node (or each slot), and the places of its commands; one without a key follows the one before it."""
        places: dict[object, list[int]] = defaultdict(list)
        slots: dict[object, int] = {}
        where: object = None
        for at, (args, _) in enumerate(commands):
            key = key_of(args)
            if key is not None or where is None:
                slot = slot_of(key or "")
                where = slot if by_slot else self.place_of(slot)
                slots.setdefault(where, slot)
            places[where].append(at)
        return [(slots[one], its) for one, its in places.items()]

    def place_of(self, slot: int) -> str:
        """The name of the node that serves a slot; another name if none does."""
        try:
            return words_of(self.nodes.serving(slot).address)
        except NodeMissing:
            return f"slot {slot}"

    def _apart(self, name: str, keys: Sequence[Any]) -> Any:
        """The answer to a command of several keys, which may be in several slots."""
        pipe = self.pipeline(transaction=False)
        for key in keys:
            pipe.execute_command("GET" if name == "MGET" else name, key)  # type: ignore[no-untyped-call]
        found = pipe.execute()
        return sum(found) if name in SUMMED else found

    def _anywhere(self, args: Sequence[Any], options: dict[str, Any]) -> Any:
        missing: NodeMissing | None = None
        for node in self.nodes.primaries():
            try:
                return node.ask(lambda client: _ask(client, args, options))
            except NodeMissing as error:
                missing = error
        raise missing or NodeMissing("none of its nodes answers")

    def _at_all(self, name: str, args: Sequence[Any], options: dict[str, Any]) -> Any:
        """The sum of the answers of all primaries, or the last answer. A script is not loaded on a node that is missing."""
        found: list[Any] = []
        for node in self.nodes.primaries():
            try:
                found.append(node.ask(lambda client: _ask(client, args, options)))
            except NodeMissing:
                if name != "SCRIPT LOAD":
                    raise
        return sum(found) if name == "DBSIZE" else found and found[-1]


class ClusterPipeline(Pipeline):
    """Commands that are sent together: a missing node fails only its own commands."""

    def __init__(self, cluster: ClusterRedis, *, transaction: bool, shard_hint: str | None) -> None:
        super().__init__(cluster.connection_pool, cluster.response_callbacks, transaction, shard_hint)
        self._cluster = cluster
        self._whole = transaction

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Like the library's method; the answers may include NodeMissing."""
        commands, scripts = self.command_stack, list(self.scripts)
        self.reset()
        for script in scripts:
            self._cluster.script_load(script.script)
        answers = self._cluster.together(commands, transaction=self._whole)
        if raise_on_error:
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer
        return answers


def _moved(commands: Sequence[Command], answers: Sequence[Any]) -> list[int]:
    """The places of commands whose slot is elsewhere, with the keyless ones that follow them: a WAIT is for its own node."""
    moved, found = False, []
    for at, ((args, _), answer) in enumerate(zip(commands, answers, strict=True)):
        moved = isinstance(answer, MovedError) or (moved and key_of(args) is None)
        found += [at] if moved else []
    return found


def _ask(client: Redis, args: Sequence[Any], options: dict[str, Any]) -> Any:
    return client.execute_command(*args, **options)  # type: ignore[no-untyped-call]


def _send(client: Redis, commands: Sequence[Command], *, transaction: bool) -> list[Any]:
    pipe = client.pipeline(transaction=transaction)
    pipe.command_stack = list(commands)
    return pipe.execute(raise_on_error=False)


def servers_of(redis: Redis) -> dict[str, Ask]:
    """A function that calls each server of the state, by the server's name in sentences (empty: the only one)."""
    if not isinstance(redis, ClusterRedis):
        return {"": lambda call: call(redis)}
    return {words_of(node.address): node.ask for node in redis.nodes.primaries()}
