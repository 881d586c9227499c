"""Grants of installers: codes, rotating token pairs, and the tokens of an agency's locations."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from bridge.simulator import ids

if TYPE_CHECKING:
    from random import Random

Kind: TypeAlias = Literal["Location", "Company"]
SCOPE = "conversations.readonly conversations/message.readonly conversations/message.write contacts.readonly oauth.write"


@dataclass(slots=True, kw_only=True)
class Install:
    """One install of the app. An agency's install lists the locations that it may act for."""

    kind: Kind
    company_id: str
    location_ids: list[str]
    user_id: str

    @property
    def owner(self) -> str:
        """Whose tokens these are."""
        return self.company_id if self.kind == "Company" else self.location_ids[0]


@dataclass(frozen=True, slots=True)
class Lent:
    """An access token: what it gives access to, and until when (ms)."""

    install: Install
    location_ids: tuple[str, ...]
    until: int


@dataclass(slots=True)
class GrantBook:
    """All grants. Codes and refresh tokens are valid once.

    A refresh token that is used again soon returns the same pair (`repeatable`, with its end in ms). `installed` are the installs
    whose code was used, by owner; a reconnect gives them a new code.
    """

    randomness: Random
    codes: dict[str, Install] = field(default_factory=dict)
    refreshes: dict[str, Install] = field(default_factory=dict)
    access: dict[str, Lent] = field(default_factory=dict)
    repeatable: dict[str, tuple[dict[str, Any], int, Install]] = field(default_factory=dict)
    installed: dict[str, Install] = field(default_factory=dict)
    counts: dict[str, Counter[str]] = field(
        default_factory=lambda: {
            name: Counter() for name in ("by_code", "refreshed", "repeated", "reconnected", "exchanged", "refused")
        }
    )

    def install(self, install: Install) -> str:
        """Begin an install; returns the code that the browser brings to the app."""
        code = self._mint("code")
        self.codes[code] = install
        return code

    def uninstall(self, owner: str) -> None:
        """Revoke everything that was granted to an owner, or through it."""
        for kept in (self.codes, self.refreshes):
            for token in [token for token, install in kept.items() if install.owner == owner]:
                del kept[token]
        self.access = {
            token: lent for token, lent in self.access.items() if lent.install.owner != owner and owner not in lent.location_ids
        }
        self.repeatable = {token: one for token, one in self.repeatable.items() if one[2].owner != owner}
        self.installed.pop(owner, None)

    def reconnect(self, owner: str) -> str | None:
        """A new code for an install; None if the app isn't installed."""
        install = self.installed.get(owner)
        if install is None:
            return None
        self.counts["reconnected"][owner] += 1
        return self.install(install)

    def repeated(self, refresh_token: str, *, now: int) -> dict[str, Any] | None:
        """The pair that a refresh token returned a moment ago; None after that."""
        pair, until, install = self.repeatable.get(refresh_token, ({}, 0, None))
        if install is None or now >= until:
            return None
        self.counts["repeated"][install.owner] += 1
        return pair

    def expire(self, owner: str) -> None:
        """End the access tokens of an owner, or of one of its locations; its refresh token stays valid."""
        self.access = {
            token: lent
            for token, lent in self.access.items()
            if owner not in lent.location_ids and (lent.install.owner != owner or lent.location_ids)
        }

    def lose(self, owner: str) -> None:
        """Remove an owner's refresh tokens."""
        self.refreshes = {token: install for token, install in self.refreshes.items() if install.owner != owner}
        self.repeatable = {token: one for token, one in self.repeatable.items() if one[2].owner != owner}

    def pair(self, install: Install, *, now: int, seconds: float) -> dict[str, Any]:
        """Create a new token pair, in the form of GHL's answer."""
        opens = (install.location_ids[0],) if install.kind == "Location" else ()
        refresh = self._mint("refresh")
        self.refreshes[refresh] = install
        answer = self._lend(install, opens, now=now, seconds=seconds) | {"refresh_token": refresh, "userType": install.kind}
        answer |= {"companyId": install.company_id, "userId": install.user_id}
        if install.kind == "Location":
            return answer | {"locationId": install.location_ids[0]}
        return answer | {"approvedLocations": install.location_ids, "isBulkInstallation": True}

    def for_location(self, install: Install, location_id: str, *, now: int, seconds: float) -> dict[str, Any]:
        """Create a token for one location of an agency, without a refresh token."""
        answer = self._lend(install, (location_id,), now=now, seconds=seconds)
        return answer | {"locationId": location_id, "userId": install.user_id}

    def lent(self, token: str, *, now: int) -> Lent | None:
        """What an access token gives access to now; None if it is unknown or expired."""
        lent = self.access.get(token)
        return lent if lent and now < lent.until else None

    def _lend(self, install: Install, opens: tuple[str, ...], *, now: int, seconds: float) -> dict[str, Any]:
        token = self._mint("access")
        self.access[token] = Lent(install, opens, now + round(seconds * 1000))
        # Whole seconds, as in GHL, unless a test wants less than one.
        return {"access_token": token, "token_type": "Bearer", "expires_in": round(seconds) or seconds, "scope": SCOPE}

    def _mint(self, kind: str) -> str:
        return f"oauth-{kind}-{ids.mint(self.randomness)}{ids.mint(self.randomness)}"
