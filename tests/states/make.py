"""Writes a version's stored states, each the whole Redis after one event of a contact.

    PYTHONPATH=. .venv/bin/python tests/states/make.py tests/states/VERSION     # with each release

Those of cb16e12, from before the state had a form, were written by an older form of this file.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.ghl.oauth import Granted
from bridge.model import ConversationId, MessageId, OutboundMessage
from bridge.store.locations.grants import of_location
from bridge.store.redis.connection import connect, now_ms
from tests.stored import HERE, LANE, accept, grants_of, message, own_redis, standings_of
from tests.world import COMPLETE, CONVERSATION, POST, World, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

# For as long as the samples are to last.
MAX_AGE_SECONDS = 300_000_000


def main(folder: Path) -> None:
    """Make each state in an empty Redis."""
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place, own_redis(Path(place)) as server:
        redis = connect(server.url)
        for happens in (waiting, dead, replied, unknown, stopped, taken_over, held, installed):
            redis.flushall()
            with opened(redis) as world:
                world.keep(max_age_seconds=MAX_AGE_SECONDS, takeover_seconds=-1)
                happens(world)
                text = json.dumps(everything(redis), indent=1, sort_keys=True)
            (folder / f"{happens.__name__}.json").write_text(text + "\n", encoding="utf-8")


def waiting(world: World) -> None:
    """Two messages without a worker."""
    world.write("m1")
    world.write("m2")


def dead(world: World) -> None:
    """A refused completion."""
    world.refusing[COMPLETE] = 400
    waiting(world)
    world.work()


def replied(world: World) -> None:
    """A message with its reply."""
    world.write("m1")
    world.work()


def unknown(world: World) -> None:
    """A post that GHL answered with 500, so its outcome is unknown."""
    world.refusing[POST] = 500
    world.write("m1")
    world.work(readback=(0.0, 0.0))


def stopped(world: World) -> None:
    """A contact that opted out."""
    replied(world)
    assert accept(world.redis, message("m2", text="STOP", date_added_ms=now_ms(world.redis))) == ["stop_word"]


def taken_over(world: World) -> None:
    """A person has written."""
    replied(world)
    written = OutboundMessage(
        id=MessageId("o1"),
        location_id=LANE.location_id,
        contact_id=LANE.contact_id,
        conversation_id=ConversationId(CONVERSATION),
        text="I take over",
        type="TYPE_SMS",
        user_id="staff",
        date_added_ms=now_ms(world.redis),
    )
    assert standings_of(world.redis).observe(LANE, [written]) == 1


def held(world: World) -> None:
    """A location on hold after three refused logins, and a later message."""
    world.refusing[COMPLETE] = 401
    for number in (1, 2, 3):
        world.write(f"m{number}")
        world.work()
    world.write("m4")


def installed(world: World) -> None:
    """The tokens of an install."""
    granted = Granted(
        kind="Location", access_token="access", refresh_token="refresh", seconds=86_399, location_id=HERE, company_id="agency"
    )
    grants_of(world.redis).install(of_location(HERE), granted)


def everything(redis: Redis) -> dict[str, Any]:
    """Every key with its type, its value and whether it expires."""
    read: dict[str, Callable[[str], Any]] = {
        "hash": redis.hgetall,
        "zset": lambda name: redis.zrange(name, 0, -1, withscores=True),
        "list": lambda name: redis.lrange(name, 0, -1),
        "set": lambda name: sorted(redis.smembers(name)),
        "string": redis.get,
        "stream": redis.xrange,
    }
    found = {}
    for name in sorted(map(str, redis.scan_iter("*ghlb:*"))):
        kind = str(redis.type(name))
        found[name] = {"kind": kind, "value": read[kind](name), "expires": redis.pttl(name) > 0}
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
