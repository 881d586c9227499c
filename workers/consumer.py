"""Celery's consumer of wake-ups, without what the bridge doesn't use of it."""

from __future__ import annotations

import logging

from celery.worker.consumer import Consumer as EveryConsumer

DELAYED = "celery.worker.consumer.delayed_delivery:DelayedDelivery"


class Consumer(EveryConsumer):
    """Without native delayed delivery: the due set is the schedule, so its 28 queues on a RabbitMQ would stay empty for ever."""

    class Blueprint(EveryConsumer.Blueprint):  # type: ignore[valid-type, misc] # celery-types takes the class for a variable
        """Celery builds it by this name."""

        default_steps = tuple(step for step in EveryConsumer.Blueprint.default_steps if step != DELAYED)


def tell_lost_connections_briefly() -> None:
    """A broker that is away comes back, and a wake-up that was not acknowledged comes again: no cause for a traceback."""
    for name in ("celery.worker.request", "celery.worker.loops"):
        logging.getLogger(name).addFilter(_briefly)


def _briefly(record: logging.LogRecord) -> bool:
    if str(record.msg).startswith(("Couldn't ack", "Error cleaning up after")):
        record.exc_info = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True
