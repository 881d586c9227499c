"""Wrote the states beside this file, once, with the scripts of commit cb16e12, from before the state had a form.

    git worktree add ../old cb16e12 && cd ../old && PYTHONPATH=. python PATH/make.py FOLDER

Each is all of Redis after something has happened to one contact.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.store.connection import connect
from tests.stored import own_redis
from tests.world import COMPLETE, POST, World, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

# For as long as the samples are to last.
MAX_AGE_SECONDS = 300_000_000


def main(folder: Path) -> None:
    """Make each state in an empty Redis."""
    with tempfile.TemporaryDirectory() as place, own_redis(Path(place)) as server:
        redis = connect(server.url)
        for name, happens in {"waiting": waiting, "dead": dead, "replied": replied, "unknown": unknown}.items():
            redis.flushall()
            with opened(redis) as world:
                world.keep(max_age_seconds=MAX_AGE_SECONDS)
                happens(world)
                text = json.dumps(everything(redis), indent=1, sort_keys=True)
            (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def waiting(world: World) -> None:
    """Two messages nobody has worked on."""
    world.write("m1")
    world.write("m2")


def dead(world: World) -> None:
    """A completion that was refused."""
    world.refusing[COMPLETE] = 400
    waiting(world)
    world.work()


def replied(world: World) -> None:
    """A message that got its reply."""
    world.write("m1")
    world.work()


def unknown(world: World) -> None:
    """A post that GHL answered with 500: nobody knows whether it arrived."""
    world.refusing[POST] = 500
    world.write("m1")
    world.work(readback=(0.0, 0.0))


def everything(redis: Redis) -> dict[str, Any]:
    """Every key with its kind, its value and whether it expires."""
    read: dict[str, Callable[[str], Any]] = {
        "hash": redis.hgetall,
        "zset": lambda name: redis.zrange(name, 0, -1, withscores=True),
        "list": lambda name: redis.lrange(name, 0, -1),
        "set": lambda name: sorted(redis.smembers(name)),
        "string": redis.get,
    }
    found = {}
    for name in sorted(map(str, redis.scan_iter("ghlb:*"))):
        kind = str(redis.type(name))
        found[name] = {"kind": kind, "value": read[kind](name), "expires": redis.pttl(name) > 0}
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
