"""Admin authentication: the admin token, and the rate limit on failed logins (store/operators/login_rate_limit.py)."""

from __future__ import annotations

from contextlib import suppress
from hmac import compare_digest
from typing import TYPE_CHECKING

from bridge.errors import Closed, TooOften, Unauthorized, Unavailable
from bridge.model import OWNER

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bridge.model import Operator
    from bridge.store.operators.ended_logins import EndedLogins
    from bridge.store.operators.login_rate_limit import LoginRateLimit
    from bridge.store.operators.operators import Operators


class AdminAuth:
    """Authenticates requests of the admin API and the console. Without a token in the settings all are refused."""

    def __init__(self, token: SecretStr | None, rate_limit: LoginRateLimit, ended: EndedLogins, operators: Operators) -> None:
        self._token = token
        self._rate_limit = rate_limit
        self._ended = ended
        self._operators = operators

    def admit(self, address: str, token: str) -> Operator:
        """Accept the admin token, or the token of a named operator, from `address`, or raise.

        Raises:
            Closed: no BRIDGE_ADMIN_TOKEN is set.
            TooOften: too many logins failed; the token was not compared.
            Unauthorized: the token is wrong or missing; only a wrong one is counted.
            Unavailable: Redis can't be reached, so the number of failed logins is not known, nor whose token it is.
        """
        if self._token is None:
            raise Closed("BRIDGE_ADMIN_TOKEN is not set on this server, so admin API and console are disabled")
        if not token:
            raise Unauthorized("send the admin token as `Authorization: Bearer ...`")
        wait = self._rate_limit.wait(address)
        if wait:
            raise TooOften(f"too many failed logins: try again in {wait:.0f} s", wait=wait)
        is_owner = compare_digest(token.encode(), self._token.get_secret_value().encode())
        operator = OWNER if is_owner else self._operators.of_token(token)
        if operator is None:
            self._rate_limit.failed(address)
            raise Unauthorized("this is not the admin token of this server, nor an operator's")
        self._rate_limit.succeeded(address)
        return operator

    def named(self, name: str, mark: str) -> Operator | None:
        """The operator of a login that began with this mark; None if it was removed or has expired. Raises Unavailable."""
        operator = self._operators.named(name)
        return operator if operator and operator.mark == mark else None

    def found(self, name: str) -> Operator | None:
        """The operator of this name, for a login at a proxy. Raises Unavailable."""
        return self._operators.named(name)

    def dismiss(self, login: str, *, seconds: int) -> None:
        """End a login that is valid for at most `seconds` more. Raises Unavailable if Redis can't be reached."""
        self._ended.end(login, seconds=seconds)

    def is_dismissed(self, login: str) -> bool:
        """Whether a login was ended. False if Redis can't be reached: then no page can show or change anything."""
        with suppress(Unavailable):
            return self._ended.is_over(login)
        return False
