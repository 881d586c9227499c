"""Classifies the addresses of URLs: this machine, public, or one that a provider can't have. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

PLAIN_HTTP = "must begin with https://, unless it points at this machine or BRIDGE_ALLOW_PRIVATE_URLS is 1"

# A public address that is internal to Azure
# (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
_OF_THE_CLOUD = frozenset({IPv4Address("168.63.129.16")})
# Private or never routed according to IANA's registries, but unknown to Python or older versions of it: IETF protocols, 6to4
# relays (RFC 7526), local NAT64, the second documentation range (RFC 9637), and the old site-local addresses (RFC 3879).
_PRIVATE = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24"))) + tuple(
    map(IPv6Network, ("64:ff9b:1::/48", "3fff::/20", "fec0::/10"))
)
# RFC 6052: IPv4 addresses in a network without IPv4.
_NAT64 = IPv6Network("64:ff9b::/96")


def is_this_machine(host: str) -> bool:
    """Whether a URL's host is this machine's loopback address or localhost; other names for it don't count."""
    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761, 6.3
        return True
    address = _parsed(host)
    return address is not None and _bare(address).is_loopback


def may_be_asked(url: str) -> bool:
    """Whether a token may be sent to a URL: with https, or with http to this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(parts.hostname or ""))


def why_refused(address: str) -> str:
    """The kind of a non-public address, as a phrase; "" for a public one."""
    parsed = _parsed(address)
    if parsed is None:
        return "an unreadable"
    bare = _bare(parsed)
    kinds = {
        "an unspecified": bare.is_unspecified,
        "a loopback": bare.is_loopback,
        "a link-local": bare.is_link_local,
        "a multicast": bare.is_multicast,
        "a cloud's own": bare in _OF_THE_CLOUD,
        "a private": not bare.is_global or any(bare in network for network in _PRIVATE),
        "a reserved": bare.is_reserved,
    }
    return next((kind for kind, is_it in kinds.items() if is_it), "")


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _bare(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one, if any, because the connection goes there."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address
