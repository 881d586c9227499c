"""Does Redis keep what it was told?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis import ResponseError

from bridge.store.redis.connection import reaching

if TYPE_CHECKING:
    from redis import Redis


WANTED = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


def missing_durability(redis: Redis) -> tuple[str, ...]:
    """What a 202 lacks to be kept. Raises Unavailable when Redis can't be reached."""
    with reaching("tell its health"):
        return _missing_durability(redis)


def _missing_durability(redis: Redis) -> tuple[str, ...]:
    """Hosted Redis often forbids CONFIG; what can't be read is reported as not known rather than as good."""
    try:
        found = {name: redis.config_get(name).get(name) for name in WANTED}
    except ResponseError:
        return ("not known: this Redis does not allow CONFIG GET",)
    return tuple(f"{name} {wanted} (is {found[name]})" for name, wanted in WANTED.items() if found[name] != wanted)
