"""The cost of lists, names and reports in Redis for each reply."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from bridge.operating.report_folding import fold_reported
from bridge.store.figures.reports import DailyCounts
from tests.keys import key
from tests.operating.test_operating_people import JANE, answer
from tests.stored import HERE, LANE, locations_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from tests.world import World

MOST_COMMANDS, MOST_BYTES = 1, 600
# What no reply had before: the ends of its messages in the lane's record, who the contact is, and what is reported.
OURS = re.compile(
    r"\[\d+ [^\]]+\] (?!\"EVAL)(.*(?:ended:|\}:person:|\}:reported|\}:report:|\}:folded|\}:counts\".*reported ).*)$"
)
WRITES = {"HSET", "SET", "RPUSH", "LTRIM", "PEXPIRE", "HDEL"}
# GHL's ids have 20 characters.
REAL = {HERE: "ve9EPM428h8vShlRW1KT", LANE.contact_id: "PKEu8zYjN0oYkSbUE4bO"}


def watched(redis: Redis, act: Callable[[], None]) -> list[list[str]]:
    """The commands for lists, names and reports."""
    found: list[list[str]] = []
    with redis.monitor() as monitor:  # type: ignore[no-untyped-call]
        act()
        redis.echo("over")
        for line in iter(monitor.connection.read_response, None):
            text = line if isinstance(line, str) else bytes(line).decode()
            if '"over"' in text:
                return found
            if ours := OURS.search(text):
                found.append(shlex.split(ours[1]))
    return found


def size(command: list[str]) -> int:
    """Its bytes in the append-only file: each argument with its length. What is written in any case is not counted."""
    whole = [part.replace(HERE, REAL[HERE]).replace(LANE.contact_id, REAL[LANE.contact_id]) for part in command]
    if is_record(command):
        pairs = zip(whole[2::2], whole[3::2], strict=True)
        return sum(map(argument, (part for pair in pairs if pair[0].startswith("ended") for part in pair)))
    if is_counted(command):
        return sum(len(line) + 1 for line in whole[2].split("\\n") if line.startswith("reported "))
    return len(f"*{len(whole)}\r\n") + sum(map(argument, whole))


def argument(part: str) -> int:
    return len(f"${len(part)}\r\n{part}\r\n")


def is_record(command: list[str]) -> bool:
    """Whether it is the lane's record, which is written again at the end of each turn."""
    return command[1] == key("lane", str(LANE))


def is_counted(command: list[str]) -> bool:
    """Whether it is what a script counts."""
    return command[1] == key("counts")


def of_their_own(commands: list[list[str]]) -> int:
    """How many would not be there without lists, names and reports."""
    return sum(not is_record(one) and not is_counted(one) for one in commands)


def writes(commands: list[list[str]]) -> list[list[str]]:
    """The commands in the append-only file; a stored name is read together with another key."""
    return [one for one in commands if one[0].upper() in WRITES]


def reply(world: World, id_: str) -> None:
    world.write(id_)
    answer(world)


def test_a_reply_costs_little_for_lists_names_and_reports(world: World, redis: Redis) -> None:
    """At most one command and 0.6 KB: the first of a contact, whose name is kept with it; later ones none, and half as much."""
    world.keep(contact_lookup=True)
    world.contact = JANE
    first = writes(watched(redis, lambda: reply(world, "m1")))
    assert {one[1].split(":")[2] for one in first} == {"lane", "person", "counts"}
    assert of_their_own(first) <= MOST_COMMANDS
    assert sum(map(size, first)) <= MOST_BYTES
    later = writes(watched(redis, lambda: reply(world, "m2")))
    assert of_their_own(later) == 0
    assert sum(map(size, later)) <= MOST_BYTES / 2
    assert redis.exists(key("person", str(LANE)))


def test_adding_many_to_their_days_costs_next_to_nothing(redis: Redis) -> None:
    """For a thousand replies of a location there are five writes with less than half a kilobyte in all."""
    redis.rpush(key("reported"), *["here a 29408750", "here r 29408750 12"] * 1000)
    folded = writes(watched(redis, lambda: fold_reported(DailyCounts(redis), locations_of(redis))))
    assert len(folded) <= 5
    assert sum(map(size, folded)) <= 500
