"""The rate limit of failed logins to the admin API and the console, per minute: for each address and for all addresses.

All processes count together in Redis. Successful requests are not limited; operating/admin_auth.py asks before it checks a token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.redis.connection import key, reaching

if TYPE_CHECKING:
    from bridge.store.redis.connection import Redis

WINDOW_MS = 60_000
MOST_OF_AN_ADDRESS = 20
MOST_OF_ALL = 200
KNOWN_MS = 24 * 3600 * 1000


class LoginRateLimit:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def wait(self, address: str) -> float:
        """Seconds until a login from this address is accepted; 0: now.

        For an address with a successful login within a day, only its own failures count, so that failures from other addresses
        can't lock out an operator.
        """
        own, all_, known = key("logins", address), key("logins"), key("logins", "known", address)
        with reaching("look at failed logins"):
            pipe = self._redis.pipeline(transaction=False)
            pipe.mget([own, all_, known])
            pipe.pttl(own)
            pipe.pttl(all_)
            (of_it, of_all, is_known), own_ms, all_ms = pipe.execute()
        if int(of_it or 0) >= MOST_OF_AN_ADDRESS:
            return max(0, int(own_ms)) / 1000
        if int(of_all or 0) >= MOST_OF_ALL and not is_known:
            return max(0, int(all_ms)) / 1000
        return 0.0

    def failed(self, address: str) -> None:
        """Count a failed login."""
        with reaching("count a failed login"):
            pipe = self._redis.pipeline(transaction=True)
            for name in (key("logins", address), key("logins")):
                # The window begins with its first failure, so its remaining time is not changed.
                pipe.set(name, 0, px=WINDOW_MS, nx=True)
                pipe.incr(name)
            pipe.execute()

    def succeeded(self, address: str) -> None:
        """Store for a day that a login from this address succeeded."""
        with reaching("note a login"):
            self._redis.set(key("logins", "known", address), 1, px=KNOWN_MS, nx=True)
