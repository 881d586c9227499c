"""Checks Redis URLs: only a format that works for state and broker is accepted, and for the state a cluster's too."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

# All schemes of Redis URLs, accepted or not.
REDIS = re.compile(r"(?:redis|rediss|unix|sentinel)[+:-]")
SCHEMES = ("redis", "rediss")
TLS_OPTIONS = ("ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
FORM = "must be like redis://:PASSWORD@HOST:6379/0, with special characters of the password as %XX"
SERVER = "give one server, like redis://:PASSWORD@HOST:6379/0"
CLUSTER = "+cluster"
CLUSTER_FORM = "must be like redis+cluster://:PASSWORD@HOST:6379,HOST:6379, with special characters of the password as %XX"


def is_cluster(url: str) -> bool:
    """Whether a URL names a cluster, by some of its nodes."""
    return url.partition("://")[0] in {f"{scheme}{CLUSTER}" for scheme in SCHEMES}


def node_urls(url: str) -> list[str]:
    """The URLs of the nodes that a cluster's URL names. Each has its login and its options."""
    scheme, _, address = url.partition("://")
    login, at, hosts = address.rpartition("@")
    hosts, question, options = hosts.partition("?")
    plain = scheme.removesuffix(CLUSTER)
    return [f"{plain}://{login}{at}{host.strip()}/0{question}{options}" for host in hosts.partition("/")[0].split(",")]


def check_state_url(url: str) -> None:
    """Check the URL of the state, which may name a cluster too. Raises as `check_redis_url`."""
    if not is_cluster(url):
        check_redis_url(url)
        return
    address, _, _ = url.partition("?")
    if "#" in url or not re.fullmatch(r"[^/]*(?:/0?)?", address.partition("://")[2]):
        raise ValueError(f"{CLUSTER_FORM}; a cluster has no database but 0")
    for node in node_urls(url):
        try:
            check_redis_url(node)
        except ValueError as error:
            raise ValueError(CLUSTER_FORM if str(error) == FORM else str(error)) from None


def check_redis_url(url: str) -> None:
    """Raise ValueError with the fault and what to write instead, but without any secret part of the URL."""
    scheme, _, address = url.partition("://")
    _check_scheme(scheme)
    if "," in address.rpartition("@")[2]:
        raise ValueError(f"names several servers: {SERVER}, or an address that leads to the primary")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its text may contain a part of the password
        raise ValueError(FORM) from None
    if not parts.hostname or port == 0 or parts.fragment or not re.fullmatch(r"(?:/\d*)?", parts.path):
        raise ValueError(FORM)
    _check_options(parts.scheme, parse_qs(parts.query, keep_blank_values=True))


def _check_scheme(scheme: str) -> None:
    if scheme == "unix" or scheme.endswith("+socket"):
        raise ValueError(f"names a socket file, which the broker can't use: {SERVER}")
    if "sentinel" in scheme:
        why = "which the state's clients and the broker's would not follow at the same moment"
        raise ValueError(f"names a Sentinel, {why}: {SERVER}, at an address that leads to the primary (a proxy, a name)")
    if "cluster" in scheme:
        raise ValueError(f"names a cluster, which only REDIS_URL may do: {SERVER}, with cluster-enabled no")
    if scheme not in SCHEMES:
        raise ValueError(FORM)


def _check_options(scheme: str, options: dict[str, list[str]]) -> None:
    """Check the options, because the two clients support different ones."""
    taken = TLS_OPTIONS if scheme == "rediss" else ()
    if any(name not in taken for name in options):
        also = f"only {', '.join(taken)}" if taken else "none (the database number is after the slash)"
        raise ValueError(f"has an unsupported option after the ?: {scheme}:// accepts {also}")
    if options.get("ssl_cert_reqs", ["required"])[-1] not in {"required", "optional", "none"}:
        raise ValueError("must have ssl_cert_reqs=none to accept any certificate, or no ssl_cert_reqs")
    for name in TLS_OPTIONS[1:]:
        if not all(Path(file).is_file() for file in options.get(name, ())):
            raise ValueError(f"names a file in {name} that does not exist")
