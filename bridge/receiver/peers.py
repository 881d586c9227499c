"""Remembers the peer of a connection before a proxy's headers replace it by the caller."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Network, IPv6Network

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

PEER = "ghlb.peer"


class Peers:
    """An app whose requests know their peer, and then the caller that a proxy at `forwarded_allow_ips` names."""

    def __init__(self, app: ASGIApp, *, forwarded_allow_ips: str) -> None:
        self._app = ProxyHeadersMiddleware(app, trusted_hosts=forwarded_allow_ips)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        scope[PEER] = scope.get("client")
        await self._app(scope, receive, send)  # type: ignore[arg-type]


def name_by_proxy(request: Request, *, header: str, proxies: Iterable[IPv4Network | IPv6Network]) -> str:
    """The user that a trusted proxy names in this header; empty if it names none, or if another peer sends the header."""
    peer = request.scope.get(PEER, request.scope.get("client"))
    values = request.headers.getlist(header) if header and peer else []
    if len(values) != 1 or not _is_within(peer[0], proxies):
        return ""
    return values[0].strip()


def _is_within(host: str, proxies: Iterable[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any(one in network for network in proxies for one in (address, mapped) if one)
