"""Alerting: what needs somebody is told to `BRIDGE_ALERT_URL`. Receivers and workers all run it; one at a time reviews.

What is wrong is judged by `diagnosis`; when it is told, and in which words, is `store/operators/alerts.lua`.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from bridge.errors import BridgeError
from bridge.operating.diagnosis import diagnose
from bridge.store.operators.alerts import Alerts, Cause
from bridge.store.operators.symptoms import look
from bridge.wire.calls import Wire
from bridge.wiring import build_redis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.operating.trouble import Trouble
    from bridge.settings import Settings
    from bridge.store.redis.connection import Redis

log = structlog.get_logger()

EVERY_SECONDS = 5.0
POST_SECONDS = 10.0
ACCEPTED = range(200, 300)


class Alerting:
    """Reviews every few seconds until stopped."""

    def __init__(self, redis: Redis, wire: Wire, *, url: str, every: float = EVERY_SECONDS) -> None:
        self._redis = redis
        self._alerts = Alerts(redis)
        self._wire = wire
        self._url = url
        self._every = every
        self._stopping = threading.Event()

    def run(self) -> None:
        """Review until `stop`; without an address there is nobody to tell."""
        while self._url and not self._stopping.wait(self._every):
            try:
                if self._alerts.review(map(cause_of, diagnose(look(self._redis))), every=self._every * 0.9):
                    self.deliver()
            except BridgeError as error:
                log.warning("alerting.waiting", why=str(error))

    def deliver(self) -> None:
        """Post what is to be told, oldest first; what can't be posted waits for the next review."""
        # A slow receiver takes longer than a review lasts: the next reviewer must not post the same.
        while self._alerts.may_deliver(2 * POST_SECONDS) and (alert := self._alerts.next()) and not self._stopping.is_set():
            answer = self._wire.call("POST", self._url, headers={}, json=alert.document, seconds=POST_SECONDS)
            if answer.status not in ACCEPTED:
                log.warning("alert.refused", cause=alert.document["cause"], status=answer.status)
                return
            self._alerts.delivered(alert)

    def stop(self) -> None:
        """Review no more."""
        self._stopping.set()


def build_alerting(settings: Settings) -> Alerting:
    """Alerting for these settings, with clients of its own. Raises Misconfigured."""
    return Alerting(build_redis(settings), Wire(), url=settings.alert_url)


@contextmanager
def alerting(settings: Settings) -> Iterator[None]:
    """Review in a thread of its own while the block runs. Raises Misconfigured."""
    reviewing = build_alerting(settings)
    threading.Thread(target=reviewing.run, name=Alerting.__name__, daemon=True).start()
    try:
        yield
    finally:
        reviewing.stop()


def cause_of(trouble: Trouble) -> Cause:
    """What is told of a trouble: its sentence, and the first command."""
    return Cause(trouble.cause, f"{trouble.says} `{trouble.command}`", trouble.alert_after_seconds)
