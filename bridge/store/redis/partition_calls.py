"""Scripts and reads that concern several partitions: one call on one server, one for each partition in a cluster.

In a cluster a script may use the keys of one partition only. The calls for all partitions are sent together, so they take one
round trip a node.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoScriptError

from bridge.store.redis.cluster import ClusterRedis
from bridge.store.redis.cluster_layout import NodeMissing, slot_of
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import HOME, PREFIXES, key_at, scored
from bridge.store.redis.script_errors import name_script

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from redis import Redis
    from redis.commands.core import Script

    Arguments = Sequence[Any] | Callable[[str], Sequence[Any]]
    Grouped = Sequence[tuple[Sequence[int], Any]]


@dataclass(frozen=True, slots=True)
class Answers:
    """The answer to each call, with the prefixes of its partitions; and the partitions whose node is missing, with the reason."""

    calls: tuple[tuple[tuple[str, ...], Any], ...]
    missing: Mapping[str, NodeMissing]

    def reached(self) -> list[Any]:
        """The answers of those that answered. Raises NodeMissing if none did."""
        return [answer for _, answer in self.calls] or self.whole()

    def whole(self) -> list[Any]:
        """The answers. Raises NodeMissing if a partition has none."""
        for reason in self.missing.values():
            raise reason
        return [answer for _, answer in self.calls]


def call_each(called: Script, args: Arguments = (), *, at: Sequence[str] = PREFIXES, at_home: bool = False) -> Answers:
    """Call a script that takes the prefixes of partitions. Raises what the client raises, but not NodeMissing.

    `at_home`: the script takes the prefix of the home partition before those; in a cluster each partition takes its place.
    `args` may depend on the partition; a single server gets those of the home partition.
    """
    if not isinstance(called.registered_client, ClusterRedis):
        keys = (HOME, *at) if at_home else tuple(at)
        return Answers(((tuple(at), called(keys=keys, args=_args(args, HOME))),), {})
    calls = [((prefix, prefix) if at_home else (prefix,), _args(args, prefix)) for prefix in at]
    return _answers([(one,) for one in at], _run(called.registered_client, called, calls), called.sha)


def call_at_home(called: Script, args: Sequence[Any]) -> Any:
    """Call a script that takes the prefix of the home partition, and those of the others that it may use: in a cluster none."""
    others = (HOME,) if isinstance(called.registered_client, ClusterRedis) else PREFIXES
    return called(keys=(HOME, *others), args=args)


def one_of_each_server(redis: Redis) -> dict[str, str]:
    """The prefix of a partition of each server (by the server's name, as `servers_of` has it), and of those that none serves."""
    if not isinstance(redis, ClusterRedis):
        return {"": HOME}
    found: dict[str, str] = {}
    for prefix in PREFIXES:
        found.setdefault(redis.place_of(slot_of(prefix)), prefix)
    return found


def beside(redis: Redis, prefix: str) -> tuple[str, ...]:
    """The partitions that a script in this one may use too: all on one server, in a cluster only itself."""
    return (prefix,) if isinstance(redis, ClusterRedis) else PREFIXES


def call_grouped(
    called: Script, prefixes: Sequence[str], items: Sequence[Sequence[Any]], *, first: Sequence[Any] = ()
) -> Grouped:
    """Call a script that takes the prefix of each item as keys, and `first` and then each item's parts as arguments.

    Returns the places of the items of each call with its answer. Raises NodeMissing after the calls to the other nodes were made.
    """
    if not isinstance(called.registered_client, ClusterRedis):
        return [(range(len(items)), called(keys=list(prefixes), args=[*first, *chain.from_iterable(items)]))]
    places: dict[str, list[int]] = defaultdict(list)
    for at, prefix in enumerate(prefixes):
        places[prefix].append(at)
    calls = [([one] * len(its), [*first, *chain.from_iterable(items[at] for at in its)]) for one, its in places.items()]
    found = _answers([(one,) for one in places], _run(called.registered_client, called, calls), called.sha).whole()
    return list(zip(places.values(), found, strict=True))


def in_order(grouped: Grouped) -> list[Any]:
    """The answers for each item, of a script that answers a list of them."""
    rows = [(at, row) for places, rows in grouped for at, row in zip(places, rows, strict=True)]
    return [row for _, row in sorted(rows, key=lambda one: one[0])]


def gather(redis: Redis, command: str, name: str, *args: str | int, at: Sequence[str] = PREFIXES) -> list[Any]:
    """What a command that reads answers in each partition, where `name` is the key without its prefix. One round trip.

    Raises NodeMissing.
    """
    return _gathered(redis, command, name, *args, at=at).whole()


def gather_reached(redis: Redis, command: str, name: str, *args: str | int, at: Sequence[str] = PREFIXES) -> dict[str, Any]:
    """Like `gather`, by the prefixes of the partitions, without those whose node is missing; NodeMissing if all are."""
    found = _gathered(redis, command, name, *args, at=at)
    found.reached()
    return {prefix: answer for (prefix,), answer in found.calls}


def _gathered(redis: Redis, command: str, name: str, *args: str | int, at: Sequence[str]) -> Answers:
    prefixes = [(prefix,) for prefix in at]
    if not isinstance(redis, ClusterRedis):
        found = redis.register_script(script("gather"))(keys=list(at), args=[command, name, *args])
        return Answers(tuple(zip(prefixes, found, strict=True)), {})
    pipe = redis.pipeline(transaction=False)
    for prefix in at:
        pipe.execute_command(command, key_at(prefix, name), *args)  # type: ignore[no-untyped-call]
    return _answers(prefixes, pipe.execute(raise_on_error=False))


def missing_partitions(redis: Redis) -> tuple[str, ...]:
    """A sentence for each node that is missing: which locations a list of all lacks. Raises NodeMissing if all are."""
    if not isinstance(redis, ClusterRedis):
        return ()
    found = _gathered(redis, "EXISTS", "owned", at=PREFIXES)
    found.reached()
    numbers: dict[str, list[str]] = defaultdict(list)
    for number, prefix in enumerate(PREFIXES):
        if prefix in found.missing:
            numbers[str(found.missing[prefix])].append(str(number))
    return tuple(f"the locations of partitions {', '.join(those)} are missing: {why}" for why, those in numbers.items())


def lane_of(redis: Redis, id_: str) -> str | None:
    """The lane that the id of a message, a contact or a conversation belongs to; None if it is not known. Reads all locations.

    Raises NodeMissing if no other node knows it.
    """
    found = call_each(redis.register_script(script("find_lane")), [id_])
    lane = next((str(lane) for _, lane in found.calls if lane), None)
    if lane is None:
        found.whole()
    return lane


def members(redis: Redis, name: str) -> set[str]:
    """The members of a set that each partition has a part of. Raises NodeMissing."""
    return {str(one) for some in gather(redis, "SMEMBERS", name) for one in some}


def members_reached(redis: Redis, name: str) -> set[str]:
    """The same, for a view: without those of nodes that are missing."""
    return {str(one) for some in gather_reached(redis, "SMEMBERS", name).values() for one in some}


def newest(redis: Redis, name: str, *, since_ms: int = 0, most: int) -> list[tuple[str, float]]:
    """The newest members of a sorted set that each partition has a part of, with their moments (ms), newest first.

    It lacks those of nodes that are missing.
    """
    found = gather_reached(redis, "ZREVRANGEBYSCORE", name, "+inf", since_ms, "WITHSCORES", "LIMIT", 0, most).values()
    return sorted(scored(found), key=lambda one: (one[1], one[0]), reverse=True)[:most]


def _args(args: Arguments, prefix: str) -> Sequence[Any]:
    return args(prefix) if callable(args) else args


def _run(redis: ClusterRedis, called: Script, calls: Sequence[tuple[Sequence[str], Sequence[Any]]]) -> list[Any]:
    """The answers to calls with these keys and arguments; instead of one that has none, its error."""
    answers = _send(redis, called, calls)
    unknown = [at for at, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
    if unknown:
        redis.script_load(called.script)
        for at, answer in zip(unknown, _send(redis, called, [calls[at] for at in unknown]), strict=True):
            answers[at] = answer
    return answers


def _send(redis: ClusterRedis, called: Script, calls: Sequence[tuple[Sequence[str], Sequence[Any]]]) -> list[Any]:
    pipe = redis.pipeline(transaction=False)
    for keys, args in calls:
        pipe.execute_command("EVALSHA", called.sha, len(keys), *keys, *args)  # type: ignore[no-untyped-call]
    return pipe.execute(raise_on_error=False)


def _answers(prefixes: Sequence[tuple[str, ...]], answers: Sequence[Any], sha: str = "") -> Answers:
    """Raises the first error that is not a missing node."""
    pairs = list(zip(prefixes, answers, strict=True))
    missing = {one: answer for some, answer in pairs if isinstance(answer, NodeMissing) for one in some}
    found = tuple(pair for pair in pairs if not isinstance(pair[1], NodeMissing))
    for _, answer in found:
        if isinstance(answer, Exception):
            name_script(answer, sha)
            raise answer
    return Answers(found, missing)
