"""The broker: connection options, and the meaning of its refusals."""

from __future__ import annotations

from ssl import CERT_REQUIRED
from typing import Any

from amqp.exceptions import AccessRefused, AMQPError, NotAllowed, NotFound, PreconditionFailed, ResourceError
from kombu import Connection, Producer
from kombu.exceptions import OperationalError

from bridge.errors import DidNotWork, Unavailable
from bridge.store.redis.connection import connect_without_retries, reaching
from bridge.store.redis.refusals import RedisError, reason_of

# Processes from before 0.1.0 use only this queue, so newer ones consume it too while both may run.
OLDER_QUEUE = "ghl-bridge"
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 2.5
# Errors with which a broker refuses; a consumer treats them like a lost connection.
REFUSALS = (RedisError, AMQPError, OperationalError)

# With the defaults, workers received nothing for minutes after a half-open connection.
REDIS_TRANSPORT = {
    # A lane whose wake-up is lost becomes due again, so kombu's own record is not needed (infra/decisions/0007).
    "ack_emulation": False,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "max_connections": 64,
}
# AMQP's class and method of a refused queue declaration.
DECLARATION = (50, 10)
OTHER_QUEUE = (
    "a queue of the bridge (ghl-bridge...) exists at the broker with other properties, for example another type: delete it "
    "there, or use another virtual host in BROKER_URL"
)
_AMQP: tuple[tuple[type[AMQPError], str], ...] = (
    (AccessRefused, "it refuses the login in BROKER_URL, or that user may not use the queue"),
    (NotAllowed, "the virtual host in BROKER_URL does not exist, or its user may not use it"),
    (NotFound, "the queue was deleted"),
    (PreconditionFailed, "a wake-up was not acknowledged within its consumer_timeout"),
    (ResourceError, "it has reached a limit, or has an alarm"),
)


def queue_of(installation: str) -> str:
    """The queue of an installation: bridges that share a broker must not take each other's wake-ups."""
    return f"ghl-bridge-{installation}"


def is_on_redis(url: str) -> bool:
    """Whether a broker URL is a Redis URL."""
    return url.startswith(("redis://", "rediss://"))


def tls(url: str) -> dict[str, Any] | bool:
    """TLS options that check the certificate, which kombu doesn't do by default. Options in the URL (?ssl_...) override them."""
    return url.startswith("rediss://") and {"ssl_cert_reqs": CERT_REQUIRED}


def is_other_queue(refusal: BaseException) -> bool:
    """Whether the refusal means that the queue has other properties, which only an operator can change."""
    return isinstance(refusal, PreconditionFailed) and refusal.method_sig == DECLARATION


def words(refusal: BaseException) -> str:
    """The meaning of a refusal or a lost connection, as a phrase.

    The broker's own text is not used; it may contain the password.
    """
    if is_other_queue(refusal):
        return OTHER_QUEUE
    known = (sentence for kind, sentence in _AMQP if isinstance(refusal, kind))
    return reason_of(refusal) or next(known, "") or type(refusal).__name__


def look(url: str, queue: str) -> str:
    """Connect like a worker and check its queue. Returns a sentence. Raises DidNotWork with the problem and what to do."""
    if is_on_redis(url):
        _must_answer(url)
    try:
        connection = Connection(url, ssl=tls(url), connect_timeout=CONNECT_SECONDS, transport_options=_looking(url))
        errors: tuple[type[BaseException], ...] = (*REFUSALS, *connection.connection_errors, *connection.channel_errors)
    except (KeyError, TypeError, ValueError, ImportError):
        # From None: the error's own text may contain the URL with its password.
        raise DidNotWork("BROKER_URL can't be used: it must be redis://, rediss:// or amqp://HOST:PORT") from None
    try:
        connection.connect()
        waiting = _look_at_queue(connection, queue, on_redis=is_on_redis(url))
    except errors as error:
        raise DidNotWork(f"{_reason(error)}: check BROKER_URL") from None
    finally:
        # A clean close is a request too, which a broker with an alarm doesn't answer.
        connection.collect(socket_timeout=1)
    return f"accepts connections; {waiting} wake-up(s) wait in {queue}"


def _must_answer(url: str) -> None:
    """Ask once, because kombu would repeat it without end for a stuck Redis. Raises DidNotWork."""
    with connect_without_retries(url, seconds=ANSWER_SECONDS) as probe:
        try:
            with reaching("answer as a broker"):
                probe.ping()
        except Unavailable as error:
            raise DidNotWork(f"{error}: check BROKER_URL") from None


def _looking(url: str) -> dict[str, Any]:
    return {**REDIS_TRANSPORT, "socket_timeout": CONNECT_SECONDS} if is_on_redis(url) else {"confirm_publish": True}


def _look_at_queue(connection: Connection, queue: str, *, on_redis: bool) -> int:
    """The number of waiting wake-ups. The queue is declared like in a worker, so that other properties are refused here too.

    RabbitMQ with an alarm accepts one more message and then none, and only a publisher that waits for a confirmation notices it.
    So two messages without a destination are published.
    """
    channel: Any = connection.default_channel
    kind = None if on_redis else {"x-queue-type": "quorum"}
    waiting = int(channel.queue_declare(queue=queue, durable=True, auto_delete=False, arguments=kind).message_count)
    if not on_redis:
        for _ in range(2):
            Producer(channel).publish("", routing_key=f"{queue}.nobody", retry=False, confirm_timeout=CONNECT_SECONDS)
    return waiting


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it accepts the connection but does not answer within 3 s: it is frozen, or has an alarm (memory, disk)"
    if isinstance(error, OSError):
        return f"no server answers at that address ({error.strerror or type(error).__name__})"
    return words(error)
