"""One clock for all: what a process calls monotonic, what Redis' scripts are told, and what GHL dates its messages with.

Nothing waits. The scripts read their time in one line (`parts/state.lua`), in whose place they get one that takes it from
behind their keys; what expires in Redis is brought forward whenever this clock moves.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redis import Redis

# A Monday, 09:00 UTC.
START_MS = 1_793_005_200_000
TICK_SECONDS = 0.001

REAL_LINE = "local time = redis.call('TIME')\n"
VIRTUAL_LINE = "local time = {table.remove(KEYS, #KEYS - 1), table.remove(KEYS)}\n"

_EXPIRE = """
for _, name in ipairs(redis.call('KEYS', '{ghlb:*')) do
  local left = redis.call('PTTL', name) - ARGV[1]
  if left > 0 then redis.call('PEXPIRE', name, left) elseif left > -ARGV[1] - 1 then redis.call('DEL', name) end
end
"""


@cache
def virtual(script: str) -> str:
    """A script that takes its time from behind its keys instead of the server's clock."""
    assert script.count("redis.call('TIME')") == 1
    return script.replace(REAL_LINE, VIRTUAL_LINE)


class Clock:
    """Seconds since the start; `redis` is a client of the harness' own."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._expire = redis.register_script(_EXPIRE)
        self.seconds = 0.0

    def monotonic(self) -> float:
        """Seconds, as a process measures them."""
        return self.seconds

    @property
    def ms(self) -> int:
        """The moment, as Redis and GHL tell it."""
        return START_MS + round(self.seconds * 1000)

    def tick(self) -> None:
        """A call takes a moment, so that no two have the same."""
        self.seconds += TICK_SECONDS

    def advance(self, seconds: float) -> None:
        """Let time pass, in Redis too."""
        self.seconds += seconds
        self._expire(args=[round(seconds * 1000)])

    def timed(self, command: tuple[Any, ...]) -> tuple[Any, ...]:
        """A command with the time that its script is told."""
        if command[0] != "EVALSHA" or not command[2]:
            return command
        seconds, ms = divmod(self.ms, 1000)
        end = 3 + int(command[2])
        return *command[:2], command[2] + 2, *command[3:end], seconds, ms * 1000, *command[end:]
