"""Celery's consumer of wake-ups, without unused features, and tolerant of the broker's refusals."""

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
# A wait before the next attempt, because a refusal may come immediately.
PAUSE_SECONDS = 1.0
# Pauses between tries to connect (s).
RECONNECT = {"interval_start": 1, "interval_step": 1, "interval_max": 4}
# After this time without a refusal, the next one is logged as a new problem.
QUIET_SECONDS = 5.0


class Consumer(EveryConsumer):
    """Handles a broker's refusal like a lost connection: it is logged once, as a sentence, and the consumer reconnects.

    Celery's own `broker_channel_error_retry` would also retry for ever what only an operator can change. A wake-up that is
    repeated after RabbitMQ's `consumer_timeout` finds its lane leased, and ends immediately. Native delayed delivery is disabled,
    because the due set is the schedule: its 28 queues on RabbitMQ would always be empty.
    """

    class Blueprint(EveryConsumer.Blueprint):  # type: ignore[valid-type, misc] # celery-types takes the class for a variable
        """The steps of the consumer; Celery expects this name."""

        default_steps = tuple(step for step in EveryConsumer.Blueprint.default_steps if step != DELAYED)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.connection_errors += REFUSALS  # type: ignore[attr-defined] # celery-types names it nowhere
        self._told = ""
        self._told_at = 0.0

    def ensure_connected(self, conn: Any) -> Any:
        """Like Celery's method, which would wait for up to half a minute between attempts."""
        conn.ensure_connection = partial(conn.ensure_connection, **RECONNECT)
        return super().ensure_connected(conn)

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """Handle a refused connection."""
        self._wait(exc)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Handle a refused operation or a lost connection."""
        super().on_connection_error_after_connected(exc)
        self._wait(exc)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Drop an item that is not a wake-up. Its content is not logged, because it may be anything."""
        log.warning("broker.dropped", why="an item of the queue can't be read", error=type(exc).__name__)
        message.ack()

    def _wait(self, refusal: Exception) -> None:
        """Wait before reconnecting. Raises WorkerShutdown with exit code 78 for a refusal that only an operator can change."""
        if is_other_queue(refusal):
            log.error("worker.misconfigured", why=OTHER_QUEUE)
            raise WorkerShutdown(Misconfigured.exit_code)
        why, now = words(refusal), time.monotonic()
        if why != self._told or now - self._told_at > QUIET_SECONDS:
            log.warning("broker.waiting", why=why)
        self._told, self._told_at = why, now
        time.sleep(PAUSE_SECONDS)


def tell_lost_connections_briefly() -> None:
    """Log lost connections without a traceback, because the broker returns, and unacknowledged wake-ups are repeated."""
    for name in ("celery.worker.request", "celery.worker.loops"):
        logging.getLogger(name).addFilter(_briefly)
    logging.getLogger("celery.worker.consumer.consumer").addFilter(_told_by_us)


def _briefly(record: logging.LogRecord) -> bool:
    if str(record.msg).startswith(("Couldn't ack", "Error cleaning up after")):
        record.exc_info = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


def _told_by_us(record: logging.LogRecord) -> bool:
    """Whether a log record repeats a problem that is already logged, because Celery logs each attempt."""
    return not (isinstance(record.args, tuple) and consumer.CONNECTION_RETRY in record.args)  # type: ignore[attr-defined] # as above
