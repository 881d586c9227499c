"""The kinds of signatures on GHL's events: counted, and stored for `GHL_LEGACY_SIGNATURES`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bridge.errors import Unauthorized
from bridge.metrics import SIGNATURES
from bridge.model import Ignored, Reason
from bridge.policy.legacy_signatures import SignaturesSeen, takes_legacy
from bridge.store.redis.connection import reaching
from bridge.store.redis.partitions import key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

    from bridge.ghl.signature import Scheme
    from bridge.metrics import Tally
    from bridge.settings import LegacySignatures

# After this time GHL gets a 429, and sends the event again.
SECONDS = 1.0
FIELDS = ("ed25519_since", "ed25519_at", "rsa_at")


class Signatures:
    """The counts of a receiver, which `tally.lua` stores."""

    def __init__(self, redis: AsyncRedis, tally: Tally, *, legacy: LegacySignatures) -> None:
        self._redis = redis
        self._tally = tally
        self._legacy = legacy

    async def admit(self, scheme: Scheme) -> None:
        """Accept a valid signature, or refuse a legacy one. Raises Unauthorized and Unavailable."""
        if scheme == "ed25519":
            return
        with reaching("read the signatures of GHL's events"):
            async with asyncio.timeout(SECONDS):
                found = await self._redis.hmget(key("signatures"), FIELDS)
        if not takes_legacy(self._legacy, _seen(found)):
            self._tally.count(SIGNATURES, "rsa_refused")
            raise Unauthorized(f"only the legacy RSA signature, and GHL_LEGACY_SIGNATURES={self._legacy}")

    def note(self, scheme: Scheme, event: object) -> None:
        """Count an accepted event, unless it is another app's."""
        if not (isinstance(event, Ignored) and event.reason is Reason.OTHER_APP):
            self._tally.count(SIGNATURES, scheme)


def signatures_seen(redis: Redis) -> SignaturesSeen:
    """The kinds of signatures of the last 30 days. Raises Unavailable."""
    with reaching("read the signatures of GHL's events"):
        return _seen(redis.hmget(key("signatures"), FIELDS))


def _seen(found: Sequence[str | bytes | None]) -> SignaturesSeen:
    return SignaturesSeen(*(int(value or 0) for value in found))
