"""Grants: the tokens of installs, sealed, and who renews them. A refresh token is good for one use by one process."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NewType
from uuid import uuid4

import orjson

from bridge.errors import Misconfigured
from bridge.store.redis.connection import key, now_ms, reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.sealing import Resealing, Seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from redis import Redis

    from bridge.ghl.oauth import Granted, Kind
    from bridge.model import LocationId
    from bridge.store.redis.sealing import Resealed

Owner = NewType("Owner", str)

# Whoever comes after one that died shows the refresh token again while GHL still answers it with the same pair (30 s).
LEASE_SECONDS = 15.0
# A refusal is believed for so long: others that want the same tokens don't ask again.
REFUSAL_COUNTS_SECONDS = 60.0
# Ahead of time a renewal that failed is tried again after so long.
NEXT_TRY_SECONDS = 600.0
# Renewed when so much of its life is over.
RENEWED_AFTER = 0.9
FIELDS = ("version", "sealed", "kind", "company", "ends_at", "renew_at", "refused", "lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant as it is kept. `renew_at` and `ends_at` of its access token are by this process' clock (monotonic, s).

    Without a `refresh_token` it is an agency's token lent for one location. `refused` is why it could not be renewed, `lost` that
    a renewal ended without a word, so that its refresh token may be used up.
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
    """How a renewal begins: it is `yours` (with a `nonce`), somebody is `busy` with it, it is `renewed`, or was `refused`."""

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
    """All grants. Raises Unavailable when Redis can't be reached, Misconfigured when the key doesn't fit what is kept."""

    def __init__(self, redis: Redis, *, fernet_keys: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._begin = redis.register_script(script("grant_begin"))
        self._keep = redis.register_script(script("grant_keep"))
        self._end = redis.register_script(script("grant_end"))
        self._seal = Seal(fernet_keys)
        self._resealing = Resealing(redis, self._seal)
        self._clock = clock

    def get(self, owner: Owner) -> Grant | None:
        """A grant as it is now, or None if there is none."""
        with reaching(f"read the grant of {owner}"):
            pipe = self._redis.pipeline(transaction=False)
            pipe.time()
            pipe.hmget(key("grant", owner), FIELDS)
            (seconds, microseconds), found = pipe.execute()
        now = int(seconds) * 1000 + int(microseconds) // 1000
        return self._grant(owner, found, now=now) if found[1] else None

    def refusals(self, owners: Sequence[Owner]) -> dict[Owner, str | None]:
        """Why each grant could not be renewed; empty if nothing is wrong with it, None where there is no grant."""
        with reaching("look for refused grants"):
            pipe = self._redis.pipeline(transaction=False)
            for owner in owners:
                pipe.hmget(key("grant", owner), ("sealed", "refused"))
            found = pipe.execute()
        return {owner: (why or "") if sealed or why else None for owner, (sealed, why) in zip(owners, found, strict=True)}

    def install(self, owner: Owner, granted: Granted) -> None:
        """Keep an install's tokens, whatever was there before."""
        self._write(owner, granted, renewed="*")

    def renewed(self, owner: Owner, granted: Granted, *, version: str) -> bool:
        """Keep a renewal's tokens; False when there is another version by now, which counts."""
        return self._write(owner, granted, renewed=version)

    def begin(self, owner: Owner, *, version: str) -> RenewalBegun:
        """Begin to renew this version ('' where there is none yet), unless somebody else does."""
        nonce = uuid4().hex
        with reaching(f"begin to renew the grant of {owner}"):
            args: list[str | int] = [owner, version, nonce, round(LEASE_SECONDS * 1000), round(REFUSAL_COUNTS_SECONDS * 1000)]
            how, *more = self._begin(args=args)
        if how == "yours":
            return RenewalBegun("yours", nonce=nonce, lost=bool(more[0]))
        return RenewalBegun(how, why=more[0] if more else "")

    def unsent(self, owner: Owner, nonce: str) -> None:
        """A renewal failed before anything was used up."""
        self._give_up(owner, nonce, "unsent")

    def lost(self, owner: Owner, nonce: str) -> None:
        """A renewal failed, and the refresh token may be used up."""
        self._give_up(owner, nonce, "lost")

    def refuse(self, owner: Owner, nonce: str, why: str) -> None:
        """GHL refused the renewal."""
        self._give_up(owner, nonce, "refused", why)

    def due(self, *, most: int) -> tuple[Owner, ...]:
        """Grants that should be renewed by now, those that wait longest first."""
        with reaching("look for grants to renew"):
            due = self._redis.zrangebyscore(key("grants"), "-inf", now_ms(self._redis), start=0, num=most)
        return tuple(Owner(text(one)) for one in due)

    def owners(self) -> tuple[Owner, ...]:
        """Whose grants are kept."""
        with reaching("list the grants"):
            return tuple(sorted(Owner(text(one)) for one in self._redis.zrange(key("grants"), 0, -1)))

    def reseal(self, owner: Owner) -> Resealed:
        """Seal a grant's tokens with the newest key, if an older one has sealed them."""
        return self._resealing.reseal(f"grant:{owner}", "sealed", lambda tokens: {"sealed": self._seal.close(tokens)})

    def forget(self, owner: Owner) -> None:
        """Forget a grant and its tokens."""
        with reaching(f"forget the grant of {owner}"):
            self._redis.delete(key("grant", owner))
            self._redis.zrem(key("grants"), owner)

    def _give_up(self, owner: Owner, nonce: str, how: str, why: str = "") -> None:
        with reaching(f"end a renewal of the grant of {owner}"):
            self._end(args=[owner, nonce, how, why, round(NEXT_TRY_SECONDS * 1000)])

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
            return bool(self._keep(args=args))

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
                f"BRIDGE_SECRET_KEY does not open the grant of {owner}: put the key that it was kept with after the new one"
            )
        tokens: dict[str, str] = orjson.loads(opened)
        return tokens
