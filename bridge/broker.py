"""The broker: how it is reached, and what it means when it refuses."""

from __future__ import annotations

from ssl import CERT_REQUIRED
from typing import Any

from amqp.exceptions import AccessRefused, AMQPError, NotAllowed, NotFound, PreconditionFailed, ResourceError
from kombu import Connection, Producer
from kombu.exceptions import OperationalError

from bridge.errors import DidNotWork, Unavailable
from bridge.store.redis.connection import connect_without_retries, reaching
from bridge.store.redis.refusals import RedisError, reason_of

QUEUE = "ghl-bridge"
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 2.5
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


def look(url: str) -> str:
    """Connect as a worker does, and look at the queue. Raises DidNotWork with what is wrong and what to do."""
    if is_on_redis(url):
        _must_answer(url)
    try:
        connection = Connection(url, ssl=tls(url), connect_timeout=CONNECT_SECONDS, transport_options=_looking(url))
        errors: tuple[type[BaseException], ...] = (*REFUSALS, *connection.connection_errors, *connection.channel_errors)
    except (KeyError, TypeError, ValueError, ImportError):
        # From None: the error's own text may quote the URL, which holds a password.
        raise DidNotWork("BROKER_URL is none that can be used here: give redis://, rediss:// or amqp://HOST:PORT") from None
    try:
        connection.connect()
        waiting = _look_at_queue(connection, on_redis=is_on_redis(url))
    except errors as error:
        raise DidNotWork(f"{_reason(error)}: check BROKER_URL") from None
    finally:
        # To close it in order is a question too, which a broker in an alarm leaves unanswered.
        connection.collect(socket_timeout=1)
    return f"it lets a worker in; {waiting} wake-up(s) wait in {QUEUE}"


def _must_answer(url: str) -> None:
    """Ask once: kombu would ask a Redis that is stuck again and again. Raises DidNotWork."""
    with connect_without_retries(url, seconds=ANSWER_SECONDS) as probe:
        try:
            with reaching("answer as a broker"):
                probe.ping()
        except Unavailable as error:
            raise DidNotWork(f"{error}: check BROKER_URL") from None


def _looking(url: str) -> dict[str, Any]:
    return {**REDIS_TRANSPORT, "socket_timeout": CONNECT_SECONDS} if is_on_redis(url) else {"confirm_publish": True}


def _look_at_queue(connection: Connection, *, on_redis: bool) -> int:
    """How many wake-ups wait. The queue is declared as a worker declares it, so that other properties are refused here too.

    RabbitMQ in an alarm takes one message more and then nothing, and says so only to who waits for a confirmation: hence two
    messages to nobody.
    """
    channel: Any = connection.default_channel
    kind = None if on_redis else {"x-queue-type": "quorum"}
    waiting = int(channel.queue_declare(queue=QUEUE, durable=True, auto_delete=False, arguments=kind).message_count)
    if not on_redis:
        for _ in range(2):
            Producer(channel).publish("", routing_key=f"{QUEUE}.nobody", retry=False, confirm_timeout=CONNECT_SECONDS)
    return waiting


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it takes the connection and answers nothing within 3 s: it is frozen, or has an alarm (memory, disk)"
    if isinstance(error, OSError):
        return f"nothing answers there ({error.strerror or type(error).__name__})"
    return words(error)
