"""Recognises the sender of a console request: by its cookie, or by the header of a trusted proxy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.errors import Unavailable
from bridge.receiver.console.sessions import COOKIE
from bridge.receiver.peers import name_by_proxy

if TYPE_CHECKING:
    from starlette.requests import Request

    from bridge.operating.services import AdminServices
    from bridge.receiver.console.sessions import Session, Sessions


class Recognition:
    """Finds the session of a request, with its operator as it is now. Raises Misconfigured if a header's proxies are not set."""

    def __init__(self, admin_services: AdminServices, sessions: Sessions) -> None:
        self._admin_services = admin_services
        self._sessions = sessions
        self._proxies = admin_services.settings.login_proxies

    def by_cookie(self, request: Request) -> Session | None:
        """The session of the cookie; None if there is none, if it is over, or if the proxy names another user now."""
        session = self._sessions.read(request.cookies.get(COOKIE, ""))
        auth = self._admin_services.admin_auth
        if session is None or auth.is_dismissed(session.id):
            return None
        name = session.operator.name
        if session.by_proxy and self.named_by_proxy(request) != name:
            return None
        if not name:
            return session
        try:
            found = auth.named(name, session.operator.mark)
        except Unavailable:  # then no page can show anything either
            return session
        return replace(session, operator=found) if found else None

    def by_proxy(self, request: Request) -> tuple[Session | None, str]:
        """A new session with its cookie, if a trusted proxy names an operator. A form can't begin one, as it has no token."""
        name = self.named_by_proxy(request)
        try:
            operator = self._admin_services.admin_auth.found(name) if name else None
        except Unavailable:
            operator = None
        if operator is None:
            return None, ""
        cookie = self._sessions.begin(operator, by_proxy=True)
        session = self._sessions.read(cookie)
        return (replace(session, operator=operator) if session else None), cookie

    def named_by_proxy(self, request: Request) -> str:
        """The name that a trusted proxy gives; empty without one."""
        return name_by_proxy(request, header=self._admin_services.settings.login_header, proxies=self._proxies)
