"""The schema version of the stored state: an older version's state is migrated, a newer version's is left alone.

What may change without a new schema version, and how: infra/docs/how-to/upgrade.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bridge.errors import Misconfigured
from bridge.store.redis.connection import key, reaching, text
from bridge.store.redis.lua import script

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis

log = structlog.get_logger()

SCHEMA = 1
# What is done with a state of the version before. Version 1 is what there was before there was a number.
DONE = {1: "nothing had to be changed"}


def take_over(redis: Redis) -> None:
    """Migrate the state to this version. Raises Misconfigured if a newer version has written it, and Unavailable."""
    with reaching("tell the schema version of its state"):
        found = int(redis.register_script(script("schema"))(args=[SCHEMA]))
    refuse_newer(found)
    for form in range(found + 1, SCHEMA + 1):
        log.info("schema.taken_over", form=form, done=DONE[form])


def look(redis: Redis) -> None:
    """Check whether this version knows the state's schema, without a change. Raises as `take_over`."""
    with reaching("tell the schema version of its state"):
        found = redis.get(key("schema"))
    refuse_newer(int(text(found or 0)))


def refuse_newer(found: int) -> None:
    """Raise Misconfigured for a schema that this version doesn't know."""
    if found > SCHEMA:
        raise Misconfigured(
            f"the state in this Redis has schema version {found}, of a newer version; this one knows schema version {SCHEMA}: "
            "start that version again, or name another Redis in REDIS_URL"
        )
