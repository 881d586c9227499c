"""The schema version of the stored state: an older version's state is upgraded, a newer version's is left alone.

What may change without a new schema version, and how: infra/docs/how-to/upgrade.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bridge.errors import Misconfigured
from bridge.store.redis.connection import now_ms, reaching, scored, text
from bridge.store.redis.moving import refuse_moved
from bridge.store.redis.partitions import UNTAGGED, key
from bridge.store.upgrades.partitioned import is_untagged, partition_keys

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis

log = structlog.get_logger()

SCHEMA = 2
# Older processes read it too, so it has no tag.
SCHEMA_KEY = "ghlb:schema"
# The steps from version 1 to this one. A step that was killed is continued, and a repeated one changes nothing.
STEPS = (partition_keys,)
# A process of version 1 sends a heartbeat at least this often.
SILENT_SECONDS = 60
# Scores in these keys of version 1 are this much (ms) later than the heartbeat: of workers, of all processes with secrets.
AHEAD_MS = {"workers": 5_000, "keys": 30_000}


def take_over(redis: Redis) -> None:
    """Upgrade the state to this version.

    Raises Misconfigured if a newer version has written it, an older one uses it, or it was moved, and Unavailable.
    """
    with reaching("read the schema version of its state"):
        found = _found(redis)
        refuse_newer(found)
        refuse_moved(redis)
        if found < SCHEMA:
            if is_untagged(redis):
                _refuse_while_used(redis)
                # From here on older processes refuse to start, and any process of this version continues the upgrade.
                redis.mset({key("upgrading"): 1, SCHEMA_KEY: SCHEMA})
            else:
                redis.set(SCHEMA_KEY, SCHEMA)
    with reaching("upgrade the state"):
        if not redis.exists(key("upgrading")):
            return
        for step in STEPS:
            step(redis)
        redis.delete(key("upgrading"))
        log.info("schema.taken_over", form=SCHEMA, done="every key was moved into its partition")


def look(redis: Redis) -> None:
    """Check whether this version knows the state's schema; changes nothing. Raises the same as `take_over`."""
    with reaching("read the schema version of its state"):
        found = _found(redis)
        refuse_newer(found)
        refuse_moved(redis)
        older = found < SCHEMA and is_untagged(redis)
        if older or redis.exists(key("upgrading")):
            raise Misconfigured(
                f"the state in this Redis has not been upgraded to schema version {SCHEMA} yet, or not completely: "
                "start the receiver or a worker of this version, which does it"
            )


def refuse_newer(found: int) -> None:
    """Raise Misconfigured for a schema that this version doesn't know."""
    if found > SCHEMA:
        raise Misconfigured(
            f"the state in this Redis has schema version {found}, of a newer version; this one knows schema version {SCHEMA}: "
            "start that version again, or name another Redis in REDIS_URL"
        )


def _found(redis: Redis) -> int:
    return int(text(redis.get(SCHEMA_KEY) or 0))


def _refuse_while_used(redis: Redis) -> None:
    since = now_ms(redis) - SILENT_SECONDS * 1000
    signs = {name: scored(redis.zrange(UNTAGGED + name, -1, -1, withscores=True)) for name in AHEAD_MS}
    lives = any(at - AHEAD_MS[name] > since for name, rows in signs.items() for _, at in rows)
    if lives or redis.exists(f"{UNTAGGED}receiving"):
        raise Misconfigured(
            "processes of an older version use this Redis, or did less than a minute ago, and this version renames all keys: "
            "stop every receiver and worker of the older version, wait a minute, then start this one"
        )
