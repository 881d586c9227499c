"""Redis' refusals of commands: their codes, and what they mean for an operator."""

from __future__ import annotations

import re
from ssl import SSLCertVerificationError

from redis import RedisError as RedisError  # noqa: PLC0414 - other rooms name it without importing the library

# Redis 6.2 adds the error of a command in a script after a dash, to an error of its own.
_CODE = re.compile(r"^(?:ERR .*? -)?([A-Z]{3,})\b", re.DOTALL)

# The text that a script gets instead of CLUSTERDOWN or MOVED, with an unspecific code (Redis 7.0.15).
_NON_LOCAL = "non local key in a cluster node"

# A demoted server keeps answering like this; a new connection finds the primary.
DEMOTED = frozenset({"READONLY", "MASTERDOWN"})

_CLUSTER = "it runs in cluster mode: name the cluster in REDIS_URL, as redis+cluster://:PASSWORD@HOST:6379"
_LOGIN = "it refuses the login in REDIS_URL"
_REASONS = {
    "READONLY": "it is a replica, which accepts no writes: REDIS_URL must lead to the primary",
    "MASTERDOWN": "it is a replica that has lost its primary: REDIS_URL must lead to the primary",
    "UNBLOCKED": "it was made a replica",
    "NOREPLICAS": "fewer replicas can be reached than its min-replicas-to-write requires",
    "MISCONF": "it can't write to its disk and refuses to change anything: check its disk and its log",
    "BUSY": "a script keeps it busy",
    "LOADING": "it is still reading its data",
    "OOM": "it is full: raise maxmemory",
    "NOPERM": "its user lacks the right: give the rights that the deployment guide names",
    "NOAUTH": _LOGIN,
    "WRONGPASS": _LOGIN,
    "CLUSTERDOWN": _CLUSTER,
    "MOVED": _CLUSTER,
    "ASK": _CLUSTER,
    "TRYAGAIN": _CLUSTER,
    "CROSSSLOT": _CLUSTER,
}


def code_of(refusal: BaseException) -> str:
    """The code of a refusal, such as `READONLY`; empty if it has none. The client has classes for only some of the codes."""
    if _NON_LOCAL in str(refusal):
        return "CLUSTERDOWN"
    known = getattr(refusal, "status_code", None)
    found = _CODE.match(str(refusal))
    return known or (found[1] if found else "")


def reason_of(refusal: BaseException) -> str:
    """The meaning of a code; empty for a code without an explanation."""
    return _REASONS.get(code_of(refusal), "")


def distrust_of(error: BaseException) -> str:
    """Why the server's certificate is not trusted, and what to do; empty if that is not the cause of an error."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, SSLCertVerificationError):
            cure = "name its CA in the URL with ?ssl_ca_certs=PATH, or take any with ?ssl_cert_reqs=none"
            return f"its certificate is not trusted ({cause.verify_message}): {cure}"
        cause = cause.__cause__ or cause.__context__
    return ""
