"""Admin authentication: the admin token, with a limit on failed logins."""

from __future__ import annotations

from contextlib import suppress
from hmac import compare_digest
from typing import TYPE_CHECKING

from bridge.errors import Closed, TooOften, Unauthorized, Unavailable

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bridge.store.operators.logins import Logins


class AdminAuth:
    """Authenticates requests of the admin API and the console. Without a token in the settings all are refused."""

    def __init__(self, token: SecretStr | None, logins: Logins) -> None:
        self._token = token
        self._logins = logins

    def admit(self, address: str, token: str) -> None:
        """Let somebody in.

        Raises:
            Closed: no BRIDGE_ADMIN_TOKEN is set.
            TooOften: too many logins failed; nothing was compared.
            Unauthorized: it is not the token; none at all is no guess, and not counted.
            Unavailable: Redis can't be reached, so that nobody knows how often it was tried.
        """
        if self._token is None:
            raise Closed("BRIDGE_ADMIN_TOKEN is not set on this server: admin API and console are closed")
        if not token:
            raise Unauthorized("send the admin token as `Authorization: Bearer ...`")
        wait = self._logins.wait(address)
        if wait:
            raise TooOften(f"too many failed logins: try again in {wait:.0f} s", wait=wait)
        if not compare_digest(token.encode(), self._token.get_secret_value().encode()):
            self._logins.failed(address)
            raise Unauthorized("this is not the admin token of this server")
        self._logins.succeeded(address)

    def dismiss(self, login: str, *, seconds: int) -> None:
        """End a login that would last `seconds` more at most. Raises Unavailable when Redis can't be reached."""
        self._logins.end(login, seconds=seconds)

    def is_dismissed(self, login: str) -> bool:
        """Whether a login was ended; where nobody can know, nothing can be seen or changed either."""
        with suppress(Unavailable):
            return self._logins.is_over(login)
        return False
