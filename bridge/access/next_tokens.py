"""Gets the next tokens of a grant from GHL, in the process that renews it.

* With the refresh token. Within 30 s GHL returns the same pair for it again (HighLevel's changelog, label "api"). So if an answer
  is lost, the request is repeated immediately; if a process crashed, the next one repeats it after the lease, which ends in time.
* If GHL refuses it, by one reconnect with the app's own credentials (https://help.gohighlevel.com/support/solutions/articles/
  155000003717): GHL returns a code, which is exchanged like that of an install, without any user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bridge.errors import OperatorMustFix, OutcomeUnknown, TokenRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.ghl.oauth import Granted
    from bridge.ghl.tokens import Tokens
    from bridge.store.locations.grants import Grant

log = structlog.get_logger()

ASK_SECONDS = 5.0
# All requests end before the lease does (`grants.LEASE_SECONDS`), which is within GHL's 30 s.
ALL_SECONDS = 14.0
LEAST_SECONDS = 0.5


def next_tokens(grant: Grant, tokens: Tokens, *, clock: Callable[[], float]) -> Granted:
    """The next pair of a grant that has a refresh token.

    Raises:
        TokenRefused: GHL refuses the refresh token and the reconnect.
        OutcomeUnknown: twice no answer arrived.
        Retryable, OperatorMustFix: as `oauth.decipher`.
    """
    end = clock() + ALL_SECONDS

    def left() -> float:
        return max(LEAST_SECONDS, min(ASK_SECONDS, end - clock()))

    try:
        return _by_refresh(grant, tokens, left)
    except TokenRefused as refused:
        try:
            code = tokens.reconnect(grant.owner, seconds=left())
            granted = tokens.by_code(code, seconds=left())
        except (TokenRefused, OperatorMustFix) as error:
            log.warning("grant.not_reconnected", owner=grant.owner, why=str(error))
            raise refused from None
        log.info("grant.reconnected", owner=grant.owner)
        return granted


def _by_refresh(grant: Grant, tokens: Tokens, left: Callable[[], float]) -> Granted:
    try:
        return tokens.by_refresh(grant.refresh_token, grant.kind, seconds=left())
    except OutcomeUnknown as lost:
        log.info("grant.asked_again", owner=grant.owner, why=str(lost))
        return tokens.by_refresh(grant.refresh_token, grant.kind, seconds=left())
