"""The only task: a wake-up for a lane. The lane's key is its only argument, because arguments are transmitted and logged."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import structlog

from bridge import flow
from bridge.errors import Unavailable
from bridge.model import Lane
from bridge.store.lanes.claims import WakeUpList

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from threading import Event

    from celery import Celery

    from bridge.answering.services import AnswerServices

log = structlog.get_logger()

COLLECT_SECONDS = 1.0
ID = "%ID%"


@dataclass(frozen=True, slots=True)
class WakeUp:
    """The task for the dispatcher."""

    app: Celery
    task: str

    def publish(self, lanes: Sequence[Lane]) -> None:
        """Publish one wake-up for each lane. Raises what the broker's client raises; then the lanes become due again."""
        # A batch of one costs a fifth more than no batch, and so does `apply_async`, which handles features that a wake-up never
        # uses.
        amqp = self.app.amqp
        with (
            self.app.producer_or_acquire() as producer,
            _left_if_it_refuses(producer),
            producer.batch() if len(lanes) > 1 else nullcontext(),
        ):
            for lane in lanes:
                message = amqp.as_task_v2(str(uuid4()), self.task, args=(str(lane),), ignore_result=True)
                amqp.send_task_message(producer, self.task, message, retry=False)

    def as_list(self) -> WakeUpList:
        """The wake-up as kombu reads it from its list on Redis: Celery's message (protocol 2) with what a worker reads.

        Facts: https://docs.celeryq.dev/en/stable/internals/protocol.html, kombu/transport/virtual/base.py (kombu 5.7).
        """
        queue = self.app.conf.task_default_queue
        headers = {"task": self.task, "id": ID}
        properties = {"delivery_info": {"exchange": "", "routing_key": queue}, "delivery_tag": ID}
        tail = {"content-type": "application/json", "headers": headers, "properties": properties}
        return WakeUpList(queue, '{"body":', f",{orjson.dumps(tail).decode()[1:]}")


@contextmanager
def _left_if_it_refuses(producer: Any) -> Iterator[None]:
    """Close the connection after a refusal: a demoted server refuses as long as the connection is kept."""
    try:
        yield
    except Exception:
        producer.connection.collect(socket_timeout=COLLECT_SECONDS)
        raise


def register(app: Celery, services: AnswerServices, leaving: Event) -> WakeUp:
    """Register the task with the app. While the worker is `leaving`, it returns wake-ups to other workers immediately.

    Otherwise it would pay for a completion of a turn that it must give back.
    """

    @app.task(name="bridge.answer", shared=False)
    def answer(lane: str) -> None:
        try:
            if leaving.is_set():
                services.lanes.unclaim([Lane.parse(lane)], pause=0)
            else:
                flow.answer(Lane.parse(lane), services)
        except Unavailable as error:
            log.warning("turn.abandoned", lane=lane, why=str(error))

    return WakeUp(app, answer.name)
