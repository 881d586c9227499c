"""Celery's consumer of wake-ups, without what the bridge doesn't use of it, and through whatever its broker answers."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Any

import structlog
from celery.exceptions import WorkerShutdown
from celery.worker.consumer import Consumer as EveryConsumer
from celery.worker.consumer import consumer

from bridge.broker import OTHER_QUEUE, REFUSALS, is_other_queue, words
from bridge.errors import Misconfigured

log = structlog.get_logger()

DELAYED = "celery.worker.consumer.delayed_delivery:DelayedDelivery"
# What is refused at once would be asked for again at once.
PAUSE_SECONDS = 1.0
# Pauses between tries to connect (s).
RECONNECT = {"interval_start": 1, "interval_step": 1, "interval_max": 4}
# So long without a refusal, and the next one is another trouble.
QUIET_SECONDS = 5.0


class Consumer(EveryConsumer):
    """A broker's refusal passes as a lost connection does: it is told once, in words, and the consumer comes back.

    Celery's own `broker_channel_error_retry` would also try for ever what only an operator can change. A wake-up that comes again
    after RabbitMQ's `consumer_timeout` finds its lane leased, and is over at once.

    Without native delayed delivery: the due set is the schedule, so its 28 queues on a RabbitMQ would stay empty for ever.
    """

    class Blueprint(EveryConsumer.Blueprint):  # type: ignore[valid-type, misc] # celery-types takes the class for a variable
        """Celery builds it by this name."""

        default_steps = tuple(step for step in EveryConsumer.Blueprint.default_steps if step != DELAYED)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.connection_errors += REFUSALS  # type: ignore[attr-defined] # celery-types names it nowhere
        self._told = ""
        self._told_at = 0.0

    def ensure_connected(self, conn: Any) -> Any:
        """As Celery's, which would wait for up to half a minute between tries."""
        conn.ensure_connection = partial(conn.ensure_connection, **RECONNECT)
        return super().ensure_connected(conn)

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """The broker refuses the connection."""
        self._wait(exc)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """The broker refuses what is asked of it, or the connection is lost."""
        super().on_connection_error_after_connected(exc)
        self._wait(exc)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Drop what is no wake-up; it may hold anything, so nothing of it is told."""
        log.warning("broker.dropped", why="an item of the queue can't be read", error=type(exc).__name__)
        message.ack()

    def _wait(self, refusal: Exception) -> None:
        """Raises WorkerShutdown with the exit code of wrong settings for what doesn't pass."""
        if is_other_queue(refusal):
            log.error("worker.misconfigured", why=OTHER_QUEUE)
            raise WorkerShutdown(Misconfigured.exit_code)
        why, now = words(refusal), time.monotonic()
        if why != self._told or now - self._told_at > QUIET_SECONDS:
            log.warning("broker.waiting", why=why)
        self._told, self._told_at = why, now
        time.sleep(PAUSE_SECONDS)


def tell_lost_connections_briefly() -> None:
    """A broker that is away comes back, and a wake-up that was not acknowledged comes again: no cause for a traceback."""
    for name in ("celery.worker.request", "celery.worker.loops"):
        logging.getLogger(name).addFilter(_briefly)
    logging.getLogger("celery.worker.consumer.consumer").addFilter(_told_by_us)


def _briefly(record: logging.LogRecord) -> bool:
    if str(record.msg).startswith(("Couldn't ack", "Error cleaning up after")):
        record.exc_info = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


def _told_by_us(record: logging.LogRecord) -> bool:
    """Celery tells it anew with each try."""
    return not (isinstance(record.args, tuple) and consumer.CONNECTION_RETRY in record.args)  # type: ignore[attr-defined] # as above
