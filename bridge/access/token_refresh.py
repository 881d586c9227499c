"""Token refresh: one process asks GHL, all others wait for the result. New tokens are stored before they are used."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from bridge.access.next_tokens import ASK_SECONDS, next_tokens
from bridge.errors import (
    BridgeError,
    OperatorMustFix,
    OutcomeUnknown,
    OutOfResources,
    Retryable,
    ServiceDown,
    TokenRefused,
    Unavailable,
)
from bridge.ghl import oauth
from bridge.model import LocationId
from bridge.store.locations.grants import of_company

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.ghl.oauth import Granted
    from bridge.ghl.tokens import Tokens
    from bridge.store.locations.grants import Grant, Grants, Owner, RenewalBegun

log = structlog.get_logger()

WAIT_SECONDS = 10.0
POLL_SECONDS = 0.1
# Tokens that can't be stored are lost for ever, so it is worth waiting for Redis.
KEEP_SECONDS = 15.0
# When to check again after an early renewal failed, or while another process is renewing.
AHEAD_AGAIN_SECONDS = 5.0
REMEMBERED = 4096


class TokenRefresh:
    """The current tokens of grants.

    `tokens` is None if no marketplace app is configured. An agency's grant is exchanged for one of each location when it is first
    needed.
    """

    def __init__(
        self,
        grants: Grants,
        tokens: Tokens | None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._grants = grants
        self._tokens = tokens
        self._sleep = sleep
        self._clock = clock
        self._known: dict[Owner, Grant] = {}

    @property
    def install_link(self) -> str:
        """The URL to install the app again; empty if no app is configured."""
        return oauth.chooser(self._tokens.app) if self._tokens else ""

    def token(self, owner: Owner, company_id: str = "") -> str:
        """A valid access token. `company_id` is the agency whose grant may be exchanged for the location's first token.

        Raises OperatorMustFix if there is no grant, TokenRefused if it can't be renewed, Retryable if it can't be renewed now.
        """
        grant = self._known.get(owner) or self._read(owner)
        now = self._clock()
        if grant is None:
            return self._renew(owner, None, company_id).access_token
        if now < min(grant.renew_at, grant.ends_at):
            return grant.access_token
        return self._ahead(grant, company_id) if now < grant.ends_at else self._renew(owner, grant, company_id).access_token

    def token_ready(self, owner: Owner) -> bool:
        """Whether `token` needs neither Redis nor GHL."""
        grant = self._known.get(owner)
        return grant is not None and self._clock() < min(grant.renew_at, grant.ends_at)

    def another(self, owner: Owner, refused: str, company_id: str = "") -> str:
        """A token other than the one that GHL calls invalid. Raises the same as `token`."""
        grant = self._read(owner)
        if grant and grant.access_token != refused:
            return grant.access_token
        return self._renew(owner, grant, company_id).access_token

    def renew_due(self, *, most: int = 10) -> int:
        """Renew all grants that are due, at most `most`. Returns their number."""
        due = self._grants.due(most=most) if self._tokens else ()
        for owner in due:
            grant = self._read(owner)
            if grant is None:
                self._grants.forget(owner)
            elif self._clock() >= grant.renew_at:
                self._ahead(grant, grant.company_id)
        return len(due)

    def _ahead(self, grant: Grant, company_id: str) -> str:
        """Renew a token that is still valid. Errors are only logged, because the old token can still be used."""
        try:
            return self._renew(grant.owner, grant, company_id, patience=0.0).access_token
        except (Retryable, OutOfResources, OperatorMustFix):
            self._known[grant.owner] = replace(grant, renew_at=self._clock() + AHEAD_AGAIN_SECONDS)
            return grant.access_token

    def _renew(self, owner: Owner, grant: Grant | None, company_id: str, *, patience: float = WAIT_SECONDS) -> Grant:
        until = self._clock() + patience
        version = grant.version if grant else ""
        while True:
            begun = self._grants.begin(owner, version=version)
            match begun.how:
                case "yours":
                    return self._bring(owner, grant, begun, company_id)
                case "refused":
                    raise TokenRefused(self._sentence(owner, begun.why), side="ghl")
                case "renewed":
                    following = self._read(owner)
                    if following:
                        return following
                    raise Retryable(f"the grant of {owner} was removed in the meantime")
            if self._clock() >= until:
                raise Retryable(f"the grant of {owner} is being renewed by another process")
            self._sleep(POLL_SECONDS)

    def _bring(self, owner: Owner, grant: Grant | None, begun: RenewalBegun, company_id: str) -> Grant:
        """Ask GHL and store its answer. In every case the lease ends with a recorded result."""
        try:
            granted = self._ask(owner, grant, company_id)
        except TokenRefused as error:
            why = _why(error, grant, lost=begun.lost)
            self._grants.refuse(owner, begun.nonce, why)
            log.error("grant.refused", owner=owner, why=why)  # noqa: TRY400 - its sentence says all
            raise TokenRefused(self._sentence(owner, why), side="ghl") from None
        except OutcomeUnknown as error:
            self._grants.lost(owner, begun.nonce)
            log.warning("grant.not_renewed", owner=owner, why=str(error))
            raise ServiceDown(f"the grant of {owner} could not be renewed: {error}") from error
        except BridgeError as error:
            self._grants.unsent(owner, begun.nonce)
            log.warning("grant.not_renewed", owner=owner, why=str(error))
            raise
        self._keep(owner, granted, version=grant.version if grant else "")
        kept = self._read(owner)
        if kept is None:
            raise Retryable(f"the grant of {owner} was removed in the meantime")
        log.info("grant.renewed", owner=owner)
        return kept

    def _ask(self, owner: Owner, grant: Grant | None, company_id: str) -> Granted:
        if self._tokens is None:
            raise OperatorMustFix("GHL_CLIENT_ID and GHL_CLIENT_SECRET are not set: without them no token can be renewed")
        if grant and grant.refresh_token:
            return next_tokens(grant, self._tokens, clock=self._clock)
        return self._exchange(owner, (grant.company_id if grant else "") or company_id, self._tokens)

    def _exchange(self, owner: Owner, company_id: str, tokens: Tokens) -> Granted:
        """Exchange an agency's token for its location's, after a renewal if GHL calls the agency's token invalid."""
        if not company_id or owner == of_company(company_id):
            raise OperatorMustFix(f"there is no token of {owner}: install the app, or set a ghl_token; {self.install_link}")
        company, location_id = of_company(company_id), LocationId(owner.partition(":")[2])
        shown = self.token(company)
        try:
            return tokens.for_location(shown, company_id, location_id, seconds=ASK_SECONDS)
        except TokenRefused as refused:
            if not refused.renewable:
                raise
        shown = self.another(company, shown)
        return tokens.for_location(shown, company_id, location_id, seconds=ASK_SECONDS)

    def _keep(self, owner: Owner, granted: Granted, *, version: str) -> None:
        until = self._clock() + KEEP_SECONDS
        while True:
            try:
                self._grants.renewed(owner, granted, version=version)
            except Unavailable as error:
                if self._clock() >= until:
                    log.error("grant.lost", owner=owner, why=str(error))  # noqa: TRY400 - its sentence says all
                    raise
                self._sleep(POLL_SECONDS)
            else:
                return

    def _read(self, owner: Owner) -> Grant | None:
        grant = self._grants.get(owner)
        if grant is None:
            self._known.pop(owner, None)
        else:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[owner] = grant
        return grant

    def _sentence(self, owner: Owner, why: str) -> str:
        return f"the grant of {owner} can't be renewed: {why}; install the app again: {self.install_link}"


def _why(error: TokenRefused, grant: Grant | None, *, lost: bool) -> str:
    if lost and grant and grant.refresh_token:
        return (
            f"its refresh token is used up: a process ended, or a connection broke, before the new tokens were stored ({error})"
        )
    return str(error)
