"""Alerting: posts problems to `BRIDGE_ALERT_URL`.

All receivers and workers run it, and one process at a time reviews the state. `diagnosis` finds the problems;
`store/operators/alerts.lua` decides when an alert is due, and writes its text.
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
    """Reviews the state every few seconds until stopped."""

    def __init__(self, redis: Redis, wire: Wire, *, url: str, every: float = EVERY_SECONDS) -> None:
        self._redis = redis
        self._alerts = Alerts(redis)
        self._wire = wire
        self._url = url
        self._every = every
        self._stopping = threading.Event()

    def run(self) -> None:
        """Review until `stop`. Does nothing if no alert URL is set."""
        while self._url and not self._stopping.wait(self._every):
            try:
                if self._alerts.review(map(cause_of, diagnose(look(self._redis))), every=self._every * 0.9):
                    self.deliver()
            except BridgeError as error:
                log.warning("alerting.waiting", why=str(error))
                # The event's older name, for one version.
                log.warning(
                    "upkeep.waiting", why="this event is called alerting.waiting now; the next version logs only that name"
                )

    def deliver(self) -> None:
        """Post the due alerts, oldest first. An alert that can't be posted waits for the next review."""
        # A slow alert receiver may take longer than a review; the next reviewer must not post the same alert.
        while self._alerts.may_deliver(2 * POST_SECONDS) and (alert := self._alerts.next()) and not self._stopping.is_set():
            answer = self._wire.call("POST", self._url, headers={}, json=alert.document, seconds=POST_SECONDS)
            if answer.status not in ACCEPTED:
                log.warning("alert.refused", cause=alert.document["cause"], status=answer.status)
                return
            self._alerts.delivered(alert)

    def stop(self) -> None:
        """Stop reviewing."""
        self._stopping.set()


def build_alerting(settings: Settings) -> Alerting:
    """Build `Alerting` with its own clients. Raises Misconfigured."""
    return Alerting(build_redis(settings), Wire(), url=settings.alert_url)


@contextmanager
def alerting(settings: Settings) -> Iterator[None]:
    """Review in a separate thread while the block runs. Raises Misconfigured."""
    reviewing = build_alerting(settings)
    threading.Thread(target=reviewing.run, name=Alerting.__name__, daemon=True).start()
    try:
        yield
    finally:
        reviewing.stop()


def cause_of(trouble: Trouble) -> Cause:
    """A problem as `alerts.lua` needs it: its sentence with the first command, and how long it must last."""
    return Cause(trouble.cause, f"{trouble.says} `{trouble.command}`", trouble.alert_after_seconds)
