"""Installing the app: the user is redirected to GHL with an encrypted state, and returns with a code for tokens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bridge.errors import OutcomeUnknown, Rejected, Unavailable
from bridge.ghl import oauth
from bridge.store.locations.grants import of_company, of_location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bridge.ghl.oauth import Granted
    from bridge.ghl.tokens import Tokens
    from bridge.store.locations.grants import Grants
    from bridge.store.locations.installs import Installs

EXCHANGE_SECONDS = 10.0
# How long a user may spend on GHL's pages.
STATE_SECONDS = 3600
KEEP_SECONDS = 10.0
POLL_SECONDS = 0.2
_MARK = b"an install that began here"


class Installing:
    """Redirects users to GHL and handles their return. The `state` is encrypted with the secret key and contains the time."""

    def __init__(
        self,
        tokens: Tokens,
        grants: Grants,
        installs: Installs,
        *,
        fernet_keys: Iterable[str],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tokens = tokens
        self._grants = grants
        self._installs = installs
        self._seal = MultiFernet([Fernet(one) for one in fernet_keys])
        self._sleep = sleep
        self._clock = clock

    def chooser(self) -> str:
        """The URL at GHL to redirect a user to."""
        state = self._seal.encrypt_at_time(_MARK, int(self._clock())).decode()
        return oauth.chooser(self._tokens.app, state=state)

    def take(self, code: str, state: str) -> Granted:
        """Exchange a code for tokens and store them. Without `state` the install began at GHL.

        Raises Rejected for a wrong or old `state`; Unavailable if Redis can't be reached (the code can be used again unless the
        message says otherwise); and what `oauth.decipher` raises.
        """
        if state and not self._is_ours(state):
            raise Rejected("the install did not begin here, or too long ago")
        self._installs.check()
        granted = self._tokens.by_code(code, seconds=EXCHANGE_SECONDS)
        if not granted.location_id and not granted.company_id:
            raise OutcomeUnknown("GHL's answer names neither a location nor an agency")
        self._insist(lambda: self._keep(granted))
        return granted

    def _is_ours(self, state: str) -> bool:
        try:
            return self._seal.decrypt_at_time(state.encode(), STATE_SECONDS, int(self._clock())) == _MARK
        except (InvalidToken, UnicodeEncodeError):
            return False

    def _keep(self, granted: Granted) -> None:
        if granted.kind == "Location":
            self._grants.install(of_location(granted.location_id), granted)
            self._installs.add(granted.location_id, granted.company_id)
            return
        self._grants.install(of_company(granted.company_id), granted)
        for location_id in granted.locations:
            self._installs.add(location_id, granted.company_id)

    def _insist(self, keep: Callable[[], None]) -> None:
        """Retry storing the tokens: the code is used, so tokens that aren't stored now are lost. Raises Unavailable."""
        until = self._clock() + KEEP_SECONDS
        while True:
            try:
                return keep()
            except Unavailable:
                if self._clock() >= until:
                    raise Unavailable("the tokens from GHL could not be stored and are lost: install again") from None
                self._sleep(POLL_SECONDS)
