"""Admin authentication: the admin token, with a limit on failed logins."""

from __future__ import annotations

from contextlib import suppress
from hmac import compare_digest
from typing import TYPE_CHECKING

from bridge.errors import Closed, TooOften, Unauthorized, Unavailable

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bridge.store.operators.failed_logins import Logins


class AdminAuth:
    """Authenticates requests of the admin API and the console. Without a token in the settings all are refused."""

    def __init__(self, token: SecretStr | None, logins: Logins) -> None:
        self._token = token
        self._logins = logins

    def admit(self, address: str, token: str) -> None:
        """Accept the admin token from `address`, or raise.

        Raises:
            Closed: no BRIDGE_ADMIN_TOKEN is set.
            TooOften: too many logins failed; the token was not compared.
            Unauthorized: the token is wrong or missing; only a wrong one is counted.
            Unavailable: Redis can't be reached, so the number of failed logins is not known.
        """
        if self._token is None:
            raise Closed("BRIDGE_ADMIN_TOKEN is not set on this server, so admin API and console are disabled")
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
        """End a login that is valid for at most `seconds` more. Raises Unavailable if Redis can't be reached."""
        self._logins.end(login, seconds=seconds)

    def is_dismissed(self, login: str) -> bool:
        """Whether a login was ended. False if Redis can't be reached: then no page can show or change anything."""
        with suppress(Unavailable):
            return self._logins.is_over(login)
        return False
