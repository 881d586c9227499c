"""Grants: the encrypted tokens of installs, and the lease of their renewal. A refresh token can be used once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NewType
from uuid import uuid4

import orjson

from bridge.errors import Misconfigured
from bridge.store.redis.connection import now_ms, reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import gather, gather_reached
from bridge.store.redis.partitions import key, key_at, prefix_of_owner, scored
from bridge.store.redis.sealing import Resealing, Seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from redis import Redis

    from bridge.ghl.oauth import Granted, Kind
    from bridge.model import LocationId
    from bridge.store.redis.sealing import Resealed

Owner = NewType("Owner", str)

# After a crash, the next process uses the refresh token again while GHL still answers with the same pair (30 s).
LEASE_SECONDS = 15.0
# How long a refusal counts, so that other processes don't ask again.
REFUSAL_COUNTS_SECONDS = 60.0
# When an early renewal that failed is retried.
NEXT_TRY_SECONDS = 600.0
# The share of a token's lifetime after which it is renewed.
RENEWED_AFTER = 0.9
FIELDS = ("version", "sealed", "kind", "company", "ends_at", "renew_at", "refused", "lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A stored grant. `renew_at` and `ends_at` of its access token are by this process' monotonic clock (s).

    Without a `refresh_token` it is an agency's token, exchanged for one location. `refused` is the reason why it could not be
    renewed; `lost`: a renewal was interrupted, so its refresh token may be used.
    """

    owner: Owner
    version: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    kind: Kind
    company_id: str
    renew_at: float
    ends_at: float
    refused: str = ""
    lost: bool = False


@dataclass(frozen=True, slots=True)
class RenewalBegun:
    """The start of a renewal: it is `yours` (with a `nonce`), another process is `busy`, or it was `renewed` or `refused`."""

    how: Literal["yours", "busy", "renewed", "refused"]
    nonce: str = ""
    lost: bool = False
    why: str = ""


def of_location(location_id: LocationId) -> Owner:
    """The grant of a location."""
    return Owner(f"location:{location_id}")


def of_company(company_id: str) -> Owner:
    """The grant of an agency."""
    return Owner(f"company:{company_id}")


class Grants:
    """All grants. Raises Unavailable if Redis can't be reached, Misconfigured if no key can decrypt a grant."""

    def __init__(self, redis: Redis, *, fernet_keys: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._begin = redis.register_script(script("grant_begin"))
        self._keep = redis.register_script(script("grant_keep"))
        self._end = redis.register_script(script("grant_end"))
        self._seal = Seal(fernet_keys)
        self._resealing = Resealing(redis, self._seal)
        self._clock = clock

    def get(self, owner: Owner) -> Grant | None:
        """The current grant; None if there is none."""
        with reaching(f"read the grant of {owner}"):
            pipe = self._redis.pipeline(transaction=False)
            pipe.time()
            pipe.hmget(key("grant", owner), FIELDS)
            (seconds, microseconds), found = pipe.execute()
        now = int(seconds) * 1000 + int(microseconds) // 1000
        return self._grant(owner, found, now=now) if found[1] else None

    def refusals(self, owners: Sequence[Owner]) -> dict[Owner, str | None]:
        """The reason why each grant could not be renewed; empty if it is fine, None if there is no grant."""
        with reaching("look for refused grants"):
            pipe = self._redis.pipeline(transaction=False)
            for owner in owners:
                pipe.hmget(key("grant", owner), ("sealed", "refused"))
            found = pipe.execute()
        return {owner: (why or "") if sealed or why else None for owner, (sealed, why) in zip(owners, found, strict=True)}

    def install(self, owner: Owner, granted: Granted) -> None:
        """Store an install's tokens, replacing earlier ones."""
        self._write(owner, granted, renewed="*")

    def renewed(self, owner: Owner, granted: Granted, *, version: str) -> bool:
        """Store a renewal's tokens. Returns False if there is a newer version, which is kept."""
        return self._write(owner, granted, renewed=version)

    def begin(self, owner: Owner, *, version: str) -> RenewalBegun:
        """Begin to renew this version ('' if there is none yet), unless another process does."""
        nonce = uuid4().hex
        with reaching(f"begin to renew the grant of {owner}"):
            args: list[str | int] = [owner, version, nonce, round(LEASE_SECONDS * 1000), round(REFUSAL_COUNTS_SECONDS * 1000)]
            how, *more = self._begin(keys=[prefix_of_owner(owner)], args=args)
        if how == "yours":
            return RenewalBegun("yours", nonce=nonce, lost=bool(more[0]))
        return RenewalBegun(how, why=more[0] if more else "")

    def unsent(self, owner: Owner, nonce: str) -> None:
        """Record that a renewal failed before the refresh token was used."""
        self._give_up(owner, nonce, "unsent")

    def lost(self, owner: Owner, nonce: str) -> None:
        """Record that a renewal failed, and the refresh token may be used."""
        self._give_up(owner, nonce, "lost")

    def refuse(self, owner: Owner, nonce: str, why: str) -> None:
        """Record that GHL refused the renewal."""
        self._give_up(owner, nonce, "refused", why)

    def due(self, *, most: int) -> tuple[Owner, ...]:
        """Grants that are due for renewal, the longest overdue first."""
        with reaching("look for grants to renew"):
            now = now_ms(self._redis)
            found = gather_reached(self._redis, "ZRANGEBYSCORE", "grants", "-inf", now, "WITHSCORES", "LIMIT", 0, most)
        due = scored(found.values())
        return tuple(Owner(one) for one, _ in sorted(due, key=lambda one: one[1])[:most])

    def owners(self) -> tuple[Owner, ...]:
        """The owners of all stored grants."""
        with reaching("list the grants"):
            return tuple(sorted(Owner(text(one)) for some in gather(self._redis, "ZRANGE", "grants", 0, -1) for one in some))

    def reseal(self, owner: Owner) -> Resealed:
        """Re-encrypt a grant's tokens with the newest key."""
        return self._resealing.reseal(key("grant", owner), "sealed", lambda tokens: {"sealed": self._seal.close(tokens)})

    def forget(self, owner: Owner) -> None:
        """Delete a grant and its tokens."""
        with reaching(f"forget the grant of {owner}"):
            self._redis.delete(key("grant", owner))
            self._redis.zrem(key_at(prefix_of_owner(owner), "grants"), owner)

    def _give_up(self, owner: Owner, nonce: str, how: str, why: str = "") -> None:
        with reaching(f"end a renewal of the grant of {owner}"):
            self._end(keys=[prefix_of_owner(owner)], args=[owner, nonce, how, why, round(NEXT_TRY_SECONDS * 1000)])

    def _write(self, owner: Owner, granted: Granted, *, renewed: str) -> bool:
        tokens = {"access": granted.access_token, "refresh": granted.refresh_token}
        sealed = self._seal.close(orjson.dumps(tokens))
        life = round(granted.seconds * 1000)
        args: list[str | int] = [
            owner,
            renewed,
            uuid4().hex,
            sealed,
            granted.kind,
            granted.company_id,
            life,
            round(life * RENEWED_AFTER),
        ]
        with reaching(f"keep the grant of {owner}"):
            return bool(self._keep(keys=[prefix_of_owner(owner)], args=args))

    def _grant(self, owner: Owner, found: list[str | None], *, now: int) -> Grant:
        version, sealed, kind, company, ends_at, renew_at, refused, lost = (field or "" for field in found)
        here = self._clock() - now / 1000
        tokens = self._open(owner, sealed)
        return Grant(
            owner=owner,
            version=version,
            access_token=tokens["access"],
            refresh_token=tokens["refresh"],
            kind="Company" if kind == "Company" else "Location",
            company_id=company,
            renew_at=here + int(renew_at) / 1000,
            ends_at=here + int(ends_at) / 1000,
            refused=refused,
            lost=bool(lost),
        )

    def _open(self, owner: Owner, sealed: str) -> dict[str, str]:
        opened = self._seal.open(sealed)
        if opened is None:
            raise Misconfigured(
                f"BRIDGE_SECRET_KEY does not decrypt the grant of {owner}: add the key of that time after the new one"
            )
        tokens: dict[str, str] = orjson.loads(opened)
        return tokens
