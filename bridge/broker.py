"""The broker: how it is reached, and what it means when it refuses."""

from __future__ import annotations

from ssl import CERT_REQUIRED
from typing import Any

from amqp.exceptions import AccessRefused, AMQPError, NotAllowed, NotFound, PreconditionFailed, ResourceError
from kombu.exceptions import OperationalError

from bridge.store.redis.refusals import RedisError, reason_of

QUEUE = "ghl-bridge"
# What a broker answers when it refuses: for a consumer no more than a lost connection is.
REFUSALS = (RedisError, AMQPError, OperationalError)

# The defaults left workers deaf for minutes after a half-open socket.
REDIS_TRANSPORT = {
    # A lane whose wake-up is lost comes due again by itself: kombu's own record of it is not needed (infra/decisions/0007).
    "ack_emulation": False,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "max_connections": 64,
}
# AMQP's class and method: what was refused is the declaration of the queue.
DECLARATION = (50, 10)
OTHER_QUEUE = (
    f"the queue {QUEUE} is at the broker with other properties (its type, say): delete it there, "
    "or name another virtual host in BROKER_URL"
)
_AMQP: tuple[tuple[type[AMQPError], str], ...] = (
    (AccessRefused, "it refuses the login in BROKER_URL, or that user may not use the queue"),
    (NotAllowed, "the virtual host in BROKER_URL is not there, or its user may not use it"),
    (NotFound, "the queue is gone"),
    (PreconditionFailed, "it waited for longer than its consumer_timeout for a wake-up to be acknowledged"),
    (ResourceError, "it has no room (a limit or an alarm)"),
)


def is_on_redis(url: str) -> bool:
    """Whether a broker's URL is a Redis'."""
    return url.startswith(("redis://", "rediss://"))


def tls(url: str) -> dict[str, Any] | bool:
    """Kombu takes any certificate unless told otherwise; what the URL says of it (?ssl_...) comes before this."""
    return url.startswith("rediss://") and {"ssl_cert_reqs": CERT_REQUIRED}


def is_other_queue(refusal: BaseException) -> bool:
    """Whether the queue is there with other properties, which only an operator can change."""
    return isinstance(refusal, PreconditionFailed) and refusal.method_sig == DECLARATION


def words(refusal: BaseException) -> str:
    """What a refusal or a lost connection means. A broker's own text may quote the URL, and so its password."""
    if is_other_queue(refusal):
        return OTHER_QUEUE
    known = (said for kind, said in _AMQP if isinstance(refusal, kind))
    return reason_of(refusal) or next(known, "") or type(refusal).__name__
