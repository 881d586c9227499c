"""One virtual clock for everything: the processes' monotonic time, the time of Redis' scripts, and GHL's dates.

Nothing waits, and nothing depends on the speed of this machine. The scripts read the time in one line (`parts/state.lua`), which
is replaced by one that takes it from two extra arguments behind their keys. Keys expire by this clock only: the server stores
each expiry a hundred years later, and whenever this clock advances, expired keys are deleted.
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
# A hundred years (ms): the server's clock never reaches that.
FAR_MS = 100 * 365 * 24 * 3600 * 1000

# Comes before a script, and replaces the three commands that set or read an expiry by ones with the virtual time.
EXPIRY = f"""local redis = (function(server)
  local now = KEYS[#KEYS - 1] * 1000 + math.floor(KEYS[#KEYS] / 1000)
  local function far(ms) return string.format('%d', {FAR_MS} + now + tonumber(ms)) end
  local function timed(run)
    return function(command, name, ...)
      if command == 'PEXPIRE' then return run('PEXPIREAT', name, far(...)) end
      if command == 'PTTL' then
        local at = run('PEXPIRETIME', name)
        return at < 0 and at or at - {FAR_MS} - now
      end
      local words = {{...}}
      for at, word in ipairs(words) do
        if command == 'SET' and word == 'PX' then words[at], words[at + 1] = 'PXAT', far(words[at + 1]) end
      end
      return run(command, name, unpack(words))
    end
  end
  return setmetatable({{call = timed(server.call), pcall = timed(server.pcall)}}, {{__index = server}})
end)(redis)
"""

_EXPIRE = f"""
for _, name in ipairs(redis.call('KEYS', '{{ghlb:*')) do
  local at = redis.call('PEXPIRETIME', name)
  if at >= 0 and at < {FAR_MS} then return redis.error_reply('the server would expire ' .. name) end
  if at >= 0 and at - {FAR_MS} <= tonumber(ARGV[1]) then redis.call('DEL', name) end
end
"""


@cache
def virtual(script: str) -> str:
    """A script that takes the time from behind its keys, and lets no key expire by the server's clock."""
    assert script.count("redis.call('TIME')") == 1
    return EXPIRY + script.replace(REAL_LINE, VIRTUAL_LINE)


class Clock:
    """Seconds since the start; `redis` is the harness' own client."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._expire = redis.register_script(_EXPIRE)
        self.seconds = 0.0

    def monotonic(self) -> float:
        """Seconds, as in a process."""
        return self.seconds

    @property
    def ms(self) -> int:
        """The time (ms) in Redis and GHL."""
        return START_MS + round(self.seconds * 1000)

    def tick(self) -> None:
        """Advance by the time of a call, so that no two have the same time."""
        self.seconds += TICK_SECONDS

    def advance(self, seconds: float) -> None:
        """Advance the time, also in Redis."""
        self.seconds += seconds
        self._expire(args=[self.ms])

    def timed(self, command: tuple[Any, ...]) -> tuple[Any, ...]:
        """A command with the time for its script, or with the expiry of its key moved."""
        match command:
            case ["EVALSHA", sha, int(keys), *rest] if keys:
                seconds, ms = divmod(self.ms, 1000)
                return "EVALSHA", sha, keys + 2, *rest[:keys], seconds, ms * 1000, *rest[keys:]
            case ["PEXPIRE", name, ms]:
                return "PEXPIREAT", name, self._far(ms)
            case ["SET", *words] if "PX" in words:
                at = words.index("PX")
                return "SET", *words[:at], "PXAT", self._far(words[at + 1]), *words[at + 2 :]
            case ["PTTL" | "TTL" | "EXPIRE" | "SETEX" | "PSETEX", *_]:
                raise AssertionError(f"{command[0]} is by the server's clock")
        return command

    def _far(self, ms: Any) -> int:
        return FAR_MS + self.ms + int(ms)
